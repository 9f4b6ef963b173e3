"""DRAMsim3's configuration files: read as DRAMsim3 reads them, and written."""

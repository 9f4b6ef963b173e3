"""The compiled memory controllers: DRAMsim3's rules, jumping over cycles without events."""

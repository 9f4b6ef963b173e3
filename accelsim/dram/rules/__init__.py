"""Rules for legal DRAM commands, as tables, and the kernel that checks them."""

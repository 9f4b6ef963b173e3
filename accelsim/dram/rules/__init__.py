"""What makes a DRAM command legal: tables of rules, and the kernel that applies them."""

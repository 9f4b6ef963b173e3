"""From layers and a chip to work: stages, tilings, layouts, and one flat program."""

"""Event-driven simulation of tiles in DMA, decoder, array and encoder. Only this uses simpy."""

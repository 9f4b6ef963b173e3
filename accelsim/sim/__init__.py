"""The event-driven layer: tiles through DMA, decoder, array and encoder. Only here is simpy."""

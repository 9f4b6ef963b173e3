"""The first 512 training and 256 test images of Fashion-MNIST (MIT licence), as IDX files."""

from pathlib import Path
from typing import Final

SMALL_FASHION_MNIST: Final = Path(__file__).parent.parent / "data" / "fashion_mnist"

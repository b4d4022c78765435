"""python -m kdev"""

from .cli import main

main()

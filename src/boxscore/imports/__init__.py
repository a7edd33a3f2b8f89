"""Imports: files of other tools as a spec, a dataset and recorded answers."""

from boxscore.imports.draft import Imported
from boxscore.imports.importing import FORMATS, import_files
from boxscore.imports.reading import Left
from boxscore.imports.writing import write

__all__ = ["FORMATS", "Imported", "Left", "import_files", "write"]

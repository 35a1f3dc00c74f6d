"""Its place puts this folder on the import path: the modules beside it are shared by the folders below."""

"""What pytest loads where the package is installed. It decides whether ``conformance.plugin`` is loaded, from where.

pytest loads the plugins of installed packages before it puts any folder on the import path. Whatever is imported here
is therefore what ``import conformance`` gives to everybody else in that process. Three cases:

- The current folder is a checkout of this project: the ``conformance`` of the checkout is meant, not the installed one.
- The current folder holds another package of the name ``conformance``: that one is meant, and the plugin stays out.
- Else the installed one is loaded.
"""

from __future__ import annotations

import sys
from pathlib import Path

_NAMESAKE = Path.cwd() / "conformance"
_CHECKOUT = (_NAMESAKE.parent / Path(__file__).name).is_file() and (_NAMESAKE / "plugin.py").is_file()

if _CHECKOUT and str(_NAMESAKE.parent) not in sys.path:
    sys.path.insert(0, str(_NAMESAKE.parent))

#: pytest reads this name. A plugin that is named here twice, as by the checkout's ``conftest.py``, is loaded once.
pytest_plugins = ["conformance.plugin"] if _CHECKOUT or not (_NAMESAKE / "__init__.py").is_file() else []

"""Every use case of a gateway, built from its ports and the operator's rules.

``Services.of`` is the one call. Each module beside it owns the use cases of one subject: the
field that names a use case and the line that builds it stand in the same file.
"""

from creditcore.services.ports import Ports
from creditcore.services.rules import Rules
from creditcore.services.services import Services

__all__ = ["Ports", "Rules", "Services"]

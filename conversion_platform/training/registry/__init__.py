"""The registry: versions, evaluations and roles, as files that are written once.

    models/<version>/card.json            written last: without it the version does not exist
    models/<version>/model.ubj, ...       its other files (docs/training.md lists them)
    models/evaluations/<version>/000001.json, ...
    models/champion/000001.json, ...      pointers, each with the day from which it counts
    models/candidates/<day>/000001.json, ...
    models/shadow/000001.json, ...

Documents hold their own digest, other files have one beside them: a byte that changed is named
when the file is read. Nothing is read by the time of a file, and "today" is a parameter.
"""

from conversion_platform.training.registry.documents import RETRAIN, document_key
from conversion_platform.training.registry.evaluations import (
    EvaluationRecord,
    Figure,
    evaluations,
    figures,
    newest_evaluation,
    record_evaluation,
)
from conversion_platform.training.registry.pointers import AUTOMATIC, POINTERS, Pointer
from conversion_platform.training.registry.provenance import (
    Provenance,
    Source,
    provenance,
    record_provenance,
)
from conversion_platform.training.registry.roles import (
    candidate,
    champion,
    champions,
    current_promotion,
    known_attributes,
    name_candidate,
    name_shadow,
    newest_candidate,
    promote,
    promotions,
    replace_champion,
    require_champion,
    rollback,
    shadow,
)
from conversion_platform.training.registry.upgrade import upgrade_registry
from conversion_platform.training.registry.versions import (
    CARD,
    add_file,
    add_version,
    damaged_files,
    load_card,
    load_model,
    read_file,
    require_whole,
    version_key,
    versions,
)
from conversion_platform.training.registry.views import IMPORTANCE, VIEWS, RegistryView

__all__ = [
    "AUTOMATIC",
    "CARD",
    "IMPORTANCE",
    "POINTERS",
    "RETRAIN",
    "VIEWS",
    "EvaluationRecord",
    "Figure",
    "Pointer",
    "Provenance",
    "RegistryView",
    "Source",
    "add_file",
    "add_version",
    "candidate",
    "champion",
    "champions",
    "current_promotion",
    "damaged_files",
    "document_key",
    "evaluations",
    "figures",
    "known_attributes",
    "load_card",
    "load_model",
    "name_candidate",
    "name_shadow",
    "newest_candidate",
    "newest_evaluation",
    "promote",
    "promotions",
    "provenance",
    "read_file",
    "record_evaluation",
    "record_provenance",
    "replace_champion",
    "require_champion",
    "require_whole",
    "rollback",
    "shadow",
    "upgrade_registry",
    "version_key",
    "versions",
]

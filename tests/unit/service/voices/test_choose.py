"""Which key is sent to which host for a region's list of voices."""

import pytest

from batch_avatar.errors import SettingsError
from batch_avatar.resource_settings import ResourceSettings
from batch_avatar.service.voices.asking import choose, voices_endpoint


def a_resource(name, endpoint, key="k"):
    return ResourceSettings.model_validate({"name": name, "endpoint": endpoint, "speech_key": key})


WEST = a_resource("west", "https://westus2.api.cognitive.microsoft.com")
NORTH = a_resource("north", "https://northeurope.api.cognitive.microsoft.com")
OLD = a_resource("old", "https://westeurope.customvoice.api.speech.microsoft.com")
OWN = a_resource("own", "https://ours.cognitiveservices.azure.com")
ODD = a_resource("odd", "https://evil.example.api.cognitive.microsoft.com")
ENTRA = a_resource("entra", "https://theirs.cognitiveservices.azure.com", None)
LOCAL = a_resource("local", "http://127.0.0.1:8080")


@pytest.mark.parametrize(
    ("resources", "wanted", "region", "chosen"),
    [
        ([WEST], None, "westus2", [WEST]),
        ([OLD], None, "westeurope", [OLD]),
        ([ENTRA, WEST], None, "westus2", [WEST]),
        ([OWN, WEST], None, "westus2", [WEST, OWN]),
        ([OWN], "westeurope", "westeurope", [OWN]),
        ([OWN, NORTH, WEST], "northeurope", "northeurope", [NORTH, OWN]),
        ([LOCAL], "westeurope", "westeurope", [LOCAL]),
    ],
)
def test_the_resource_that_is_there_is_asked_first(resources, wanted, region, chosen):
    assert choose(resources, wanted) == (region, tuple(chosen))


@pytest.mark.parametrize(
    ("resources", "wanted", "said"),
    [
        ([ENTRA], "westeurope", "with Microsoft Entra they are not known"),
        ([OWN, ENTRA], None, "ours.cognitiveservices.azure.com does not tell its region"),
        ([ODD], None, "evil.example.api.cognitive.microsoft.com does not tell its region"),
        ([NORTH, WEST], None, "the resources are in northeurope and westus2; say which is meant with --region"),
        ([NORTH, ENTRA], "westus2", "no resource is in westus2 but in northeurope"),
    ],
)
def test_what_is_not_known_is_said(resources, wanted, said):
    with pytest.raises(SettingsError, match=said):
        choose(resources, wanted)


@pytest.mark.parametrize("resource", [WEST, OWN, OLD, ODD])
def test_a_key_goes_to_the_host_of_the_region_only(resource):
    assert voices_endpoint(resource, "westus2") == "https://westus2.tts.speech.microsoft.com"


def test_the_key_of_a_resource_on_this_machine_does_not_leave_it():
    assert voices_endpoint(LOCAL, "westus2") == "http://127.0.0.1:8080"

"""What each control of a class room does, for the question mark; `field Class *` is any other."""

from app.explanations.explanation import explain

TEACHER = {
    "Code": "Fills the screen with the address, the code and a QR code by which students join.",
    "Students": "Lists who is in the room: let them in, look at a student's run, or remove one.",
    "Ask first": "Asks the class what will happen. The run waits until you close the question.",
    "Steer": "Brings everybody to a lesson or to the step of your run, lets them work or follow,"
    " or pauses all pages.",
    "Results": "Saves progress, predictions, best runs, hand-ins or the whole room, and closes it.",
    "Wall": "Shows the runs of all students side by side, without names unless you want them.",
    "Show to all": "Everybody who follows sees this student's run, without the name.",
    "Back to my run": "Your page shows your own run again, which the class has seen meanwhile.",
}
STUDENT = {
    "Take the wheel": "Goes on with a run of your own from the step that the class is at.",
    "Back to the class": "Follows the class again; your own run waits.",
    "Ask for help": "Raises your hand: your teacher sees it, and may look at your run.",
    "Leave": "Takes you out of the class and frees your place in it; your page and its run stay.",
}


def explain_class() -> None:
    """Say what the strip of a class is, and what each of its controls does."""
    explain("button class", "Class", "Joins a class room, with the code that its teacher gives.")
    explain(
        ("class strip", "field Class *"),
        "Class",
        "The strip of a class: the code of its room, your place in it, how many are here, and what"
        " the teacher asks.",
    )
    explain(
        "class tile",
        "A student on the wall",
        "The run of a student, or that the student follows. Press it to look at that run.",
    )
    for name, what in (TEACHER | STUDENT).items():
        explain(f"field Class {name}", name, what)

"""What a command raises when it cannot do its work: the text is a sentence for who typed it."""


class CourseError(Exception):
    """The course's own files are not as they should be, or what was asked for is not there."""

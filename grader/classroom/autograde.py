"""Our steps inside `nbgrader autograde`: read any file, mend the notebook, grade it, say it.

The kernel never runs a student's cell. `KataExecute` stands where nbgrader starts one, and leaves
in each test cell what nbgrader's own scoring, feedback and export read.
"""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path

from nbconvert.exporters import NotebookExporter
from nbformat import from_dict
from nbformat.v4 import new_markdown_cell, new_output
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.converters import Autograde
from nbgrader.preprocessors import NbGraderPreprocessor, SaveAutoGrades
from traitlets import Enum, Float

from grader import notebooks
from grader.classroom import feedback, judge, submission
from grader.classroom.ahead import Ahead
from grader.classroom.course import OWN_TESTS, check_id, class_seed, course_of, read_settings
from grader.classroom.released import Known
from grader.course import CourseError, Exercise
from grader.engine import EngineError
from grader.isolation import Isolation, notice_of
from grader.report import TaskResult, earned

_OPEN, _REFUSED = "kata_not_graded", "NotGraded"  # how a cell's outputs say that it has no score
_ahead = Ahead()


class AnyNotebook(NotebookExporter):
    """Reads what was handed in, whatever it is; what is no notebook becomes an empty one."""

    def from_filename(self, filename, resources=None, **kw):
        ours = not getattr(self.parent, "_sanitizing", True)  # the one that `Mend` has made
        book, problem = _opened(Path(filename), notebooks.TEXT * (2 if ours else 1))
        resources = (resources or {}) | {"kata_problem": problem}
        return self.from_notebook_node(book, resources=resources, **kw)

    def __init__(self, config=None, **kw):
        """`SystemExit` before anything is touched where the code would not be kept apart."""
        super().__init__(config=config, **kw)
        if isinstance(self.parent, Autograde):
            try:
                course = course_of(Path(self.parent.coursedir.root))
                judge.words[course.root] = Isolation(KataExecute(parent=self).isolation)
                judge.isolation(course)
            except (CourseError, EngineError) as error:
                self.log.error("%s", error)
                raise SystemExit(2) from None


def under_its_own_name(assignment, student, notebooks) -> None:
    """A single notebook that was renamed is handed on under the name that nbgrader knows."""
    if len(notebooks) == 1:
        notebooks[0] = str(Path(notebooks[0]).with_name(f"{assignment}.ipynb"))


class Mend(NbGraderPreprocessor):
    """The cells of the release, once and in place, before nbgrader looks at them."""

    def preprocess(self, nb, resources):
        told = resources["nbgrader"]
        problem = resources.get("kata_problem", "")
        with Gradebook(told["db_url"]) as gradebook:
            _forget(gradebook, told)
            known = _known(gradebook.find_notebook(told["notebook"], told["assignment"]))
        try:
            tasks = [task.name for task in _exercise(told["notebook"]).tasks]
        except CourseError:
            return nb, resources  # an assignment that the instructor has added
        try:
            nb.cells = submission.mend(nb.cells, known, told["notebook"], tasks)
        except submission.NotGraded as error:
            problem = problem or str(error)
            nb.cells = submission.mend([], known, told["notebook"], tasks)
        nb.metadata["kata"] = {"problem": problem}
        return nb, resources


class KataExecute(NbGraderPreprocessor):
    """Grades a notebook's answers through the engine, in the place of a kernel."""

    seconds_per_test = Float(
        None, allow_none=True, help="at most this long for one test; the tests' own limit else"
    ).tag(config=True)
    isolation = Enum(
        [str(word) for word in Isolation],
        str(Isolation.CLOSED),
        help="open: grade even where code is not kept apart, and say so in the feedback",
    ).tag(config=True)

    def preprocess(self, nb, resources):
        stem = resources["nbgrader"]["notebook"]
        try:
            exercise = _exercise(stem)
        except CourseError as error:
            self.log.error("%s", error)
            for cell in _graded(nb):
                cell.outputs = [_refusal("gradkata has no exercise of this name")]
            return nb, resources
        about = dict(nb.metadata.get("kata", {}))
        problem, grading, answer = about.get("problem", ""), None, submission.Answer("")
        if not problem:
            grading, answer = self._grade(nb.cells, exercise, resources["nbgrader"])
            about |= {"seed": grading.seed, "points": grading.result.earned}
            about |= {"isolation": grading.isolation}
            if not grading.result.tasks:
                problem = (grading.result.problem or "its tests did not run").rstrip(".")
                about["problem"] = problem
            self.log.info("Graded %s with seed %s", stem, grading.seed)
        if problem:
            student = resources["nbgrader"]["student"]
            self.log.error("%s of %s is not graded, because %s.", stem, student, problem)
        nb.metadata["kata"] = about
        rows = {task.task: task for task in grading.result.tasks} if grading else {}
        notice = notice_of(grading.isolation) if grading else ""
        tasks = {check_id(stem, task.name): task.name for task in exercise.tasks}
        for cell in _graded(nb):
            meta = cell.metadata["nbgrader"]
            name = tasks.get(meta["grade_id"])
            if name is None:
                self.log.warning("%s is no cell of gradkata: not graded", meta["grade_id"])
                cell.outputs = [_refusal("gradkata grades only its own test cells")]
            else:
                note = answer.broken.get(name, "")
                cell.outputs = _outputs(
                    exercise, name, rows.get(name), meta["points"], problem, note, notice
                )
        return nb, resources

    def _grade(self, cells, exercise: Exercise, told: dict):
        answer = submission.gather(cells, exercise)
        key = self._begin(told["student"], exercise, answer)
        _ahead.drop_all_but(key, self._begin_following(exercise, told))
        grading = _ahead.result(key)
        if grading.result.problem:
            answer = submission.gather(cells, exercise, guarded=True)
            grading = _ahead.result(self._begin(told["student"], exercise, answer))
        return grading, answer

    def _begin(self, student: str, exercise: Exercise, answer: submission.Answer) -> tuple:
        course, own = course_of(Path.cwd()), Path.cwd() / OWN_TESTS
        seconds, seed = self.seconds_per_test, class_seed(Path.cwd())
        key = (str(course.root), str(own), student, exercise.stem, answer.source, seconds, seed)
        kept = Path.cwd()
        grade = partial(judge.grade, exercise, answer, course, own, seconds, seed, kept)
        _ahead.begin(key, grade)
        return key

    def _begin_following(self, exercise: Exercise, told: dict) -> tuple | None:
        try:
            path = self._following(told)
            answer = path and _answer(path, exercise, told)
        except Exception:  # whatever is wrong with it concerns its own student, in its own turn
            return None
        return self._begin(path.parent.parent.name, exercise, answer) if answer else None

    def _following(self, told: dict) -> Path | None:
        """The notebook that nbgrader comes to next; None where that is not clear."""
        command = self.parent and self.parent.parent  # of the exporter
        if not isinstance(command, Autograde):
            return None
        folders = command.coursedir
        student, assignment = told["student"], told["assignment"]
        here = folders.format_path(folders.submitted_directory, student, assignment)
        for folder, names in sorted(command.assignments.items()):
            later = Path(folder).parent.name
            done = Path(folders.format_path(folders.autograded_directory, later, assignment))
            if folder > here and len(names) == 1 and (command.force or not done.exists()):
                return Path(folder) / f"{told['notebook']}.ipynb"
        return None


class SaveGraded(SaveAutoGrades):
    """Saves the scores as nbgrader does; what could not be graded is left open, and is no 0."""

    _all_open = False

    def preprocess(self, nb, resources):
        self._all_open = bool(nb.metadata.get("kata", {}).get("problem"))
        return super().preprocess(nb, resources)

    def _add_score(self, cell, resources):
        if not (self._all_open or _is_open(cell)):
            super()._add_score(cell, resources)
            return
        grade_id = cell.metadata["nbgrader"]["grade_id"]
        grade = self.gradebook.find_grade(
            grade_id, self.notebook_id, self.assignment_id, self.student_id
        )
        grade.auto_score, grade.needs_manual_grade = None, True
        self.gradebook.db.commit()


class SayOpen(NbGraderPreprocessor):
    """Begins the feedback on a notebook that could not be graded with that: its 0 is no score."""

    def preprocess(self, nb, resources):
        problem = nb.metadata.get("kata", {}).get("problem")
        if problem:
            sentence = (
                f"**Not graded, because {problem}.** Where a score of 0 stands, there is none."
            )
            nb.cells.insert(0, new_markdown_cell(sentence, metadata={"nbgrader": {}}))
        return nb, resources


class SetDueDate(NbGraderPreprocessor):
    """Writes the due date that `kata course --due` was given, when an assignment is generated."""

    def preprocess(self, nb, resources):
        told = resources["nbgrader"]
        due = read_settings(Path.cwd()).get("due", {}).get(told["assignment"])
        if due:
            with Gradebook(told["db_url"]) as gradebook:
                gradebook.update_or_create_assignment(told["assignment"], duedate=due)
        return nb, resources


def _exercise(stem: str) -> Exercise:
    for exercise in course_of(Path.cwd()).exercises:
        if exercise.stem == stem:
            return exercise
    raise CourseError(f"There is no exercise {stem}: its cells are not graded.")


def _opened(path: Path, most: int = notebooks.TEXT):
    """What was handed in, as a notebook, and why it can't be graded, if so."""
    try:
        return from_dict(submission.read(submission.content_of(submission.find(path)), most)), ""
    except submission.NotGraded as error:
        return from_dict(notebooks.nothing()), str(error)


def _answer(path: Path, exercise: Exercise, told: dict) -> submission.Answer | None:
    """What will be graded of a notebook that nbgrader has not read yet; None if nothing."""
    book, problem = _opened(path)
    if problem:
        return None
    with Gradebook(told["db_url"]) as gradebook:
        known = _known(gradebook.find_notebook(told["notebook"], told["assignment"]))
    tasks = [task.name for task in exercise.tasks]
    cells = submission.mend(book.cells, known, exercise.stem, tasks)
    return submission.gather(cells, exercise)


def _known(notebook) -> list[Known]:
    """The released cells, as the gradebook has them."""
    points = {cell.name: cell.max_score for cell in [*notebook.grade_cells, *notebook.task_cells]}
    grades = {cell.name for cell in notebook.grade_cells}
    solutions = {cell.name for cell in notebook.solution_cells}
    tasks = {cell.name for cell in notebook.task_cells}
    return [
        Known(
            grade_id=cell.name,
            cell_type=cell.cell_type,
            source=cell.source,
            locked=cell.locked,
            grade=cell.name in grades,
            solution=cell.name in solutions,
            task=cell.name in tasks,
            points=points.get(cell.name),
        )
        for cell in notebook.source_cells
    ]


def _forget(gradebook: Gradebook, told: dict) -> None:
    """Mark an earlier score as open: should this grading fail, it does not stand as if it held."""
    try:
        earlier = gradebook.find_submission_notebook(
            told["notebook"], told["assignment"], told["student"]
        )
    except MissingEntry:
        return
    for grade in earlier.grades:
        grade.auto_score, grade.needs_manual_grade = None, True
    gradebook.db.commit()


def _graded(nb) -> list:
    """The test cells: graded, and no answers of their own."""
    return [
        cell
        for cell in nb.cells
        if cell.cell_type == "code"
        and cell.metadata.get("nbgrader", {}).get("grade")
        and not cell.metadata["nbgrader"].get("solution")
    ]


def _outputs(
    exercise: Exercise,
    name: str,
    task: TaskResult | None,
    worth: float,
    problem: str,
    note: str,
    notice: str,
) -> list:
    score = earned(task, worth)
    if not math.isfinite(score):
        score = 0.0
    text, page = feedback.shown(exercise.task(name), task, score, worth, problem, note, notice)
    shown = {"text/plain": text, "text/html": page}
    if problem or task is None:
        return [new_output("display_data", shown, metadata={_OPEN: True})]
    return [
        new_output("display_data", shown),
        new_output("execute_result", {"text/plain": repr(score)}, execution_count=1),
    ]


def _is_open(cell) -> bool:
    """Has a test cell no score, since it could not be graded?"""
    return any(
        output.get("metadata", {}).get(_OPEN) or output.get("ename") == _REFUSED
        for output in cell.get("outputs", [])
    )


def _refusal(why: str):
    return new_output("error", ename=_REFUSED, evalue=why, traceback=[f"NotGraded: {why}"])

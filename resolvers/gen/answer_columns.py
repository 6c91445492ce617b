"""The columns of an answer over a described table."""

from dataclasses import dataclass

from loaders.description import Kind
from loaders.expression import expression_type, measure_type
from loaders.read import Aggregate, Computed, Figures, Literal, Measure, Nodes, Read


@dataclass(frozen=True, slots=True)
class AnswerColumn:
    name: str
    kind: Kind


def answer_columns(read: Read) -> tuple[AnswerColumn, ...]:
    """Names and kinds of what each row, or each group, shows; in order."""
    found: list[AnswerColumn] = []
    for _, part in read.connection.entries if read.connection else ():
        match part:
            case Nodes(fields):
                outputs = ((field.key, field.output) for field in fields)
                found += [
                    AnswerColumn(key, expression_type(output.expression, read.table).kind)
                    for key, output in outputs
                    if isinstance(output, Computed)
                ]
            case Aggregate():
                for key, entry in part.entries:
                    match entry:
                        case Literal() | Figures():
                            continue
                        case Measure():
                            found.append(AnswerColumn(key, measure_type(entry, read.table).kind))
                        case _:
                            found.append(AnswerColumn(key, expression_type(entry, read.table).kind))
    return tuple(found)

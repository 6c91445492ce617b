"""The functions a raw statement may call, by engine: scalar and aggregate functions, and table functions. All others
are refused.

sqlglot parses many functions to a class of its own (`exp.Func`), whatever the engine calls them: of those, `_KNOWN` are
safe on every engine. All other functions are listed by the engine's own names. Deliberately missing are functions that
read files, addresses, other tables, dictionaries, settings, the environment or the user's identity, functions that
wait, and functions that make large texts of small ones.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from sqlglot import exp

from loaders.raw_sql.errors import refuse


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_KNOWN: Final = _words(
    """
    Abs Acos Acosh AddMonths AnyValue ApproxDistinct ApproxQuantile ApproxQuantiles ArgMax ArgMin Array ArrayAgg
    ArrayAll ArrayAny ArrayAppend ArrayCompact ArrayConcat ArrayConcatAgg ArrayContains ArrayContainsAll
    ArrayDistinct ArrayExcept ArrayFilter ArrayFirst ArrayIntersect ArrayLast ArrayMax ArrayMin ArrayOverlaps
    ArrayPosition ArrayPrepend ArrayRemove ArrayReverse ArraySize ArraySlice ArraySort ArraySum ArrayToString
    Ascii Asin Asinh Atan Atan2 Atanh Avg BitLength BitwiseAndAgg BitwiseCount BitwiseOrAgg BitwiseXorAgg
    ByteLength Case Cast Cbrt Ceil Chr CityHash64 Coalesce Concat ConcatWs Contains Corr Cos Cosh CosineDistance
    Cot Count CountIf CovarPop CovarSamp CumeDist CurrentDate CurrentDatetime CurrentTime CurrentTimestamp Date
    DateAdd DateDiff DateFromParts DateFromUnixDate DateStrToDate DateSub DateTrunc Datetime DatetimeAdd
    DatetimeDiff DatetimeSub DatetimeTrunc Day DayOfMonth DayOfWeek DayOfWeekIso DayOfYear Dayname Degrees
    DenseRank DotProduct EndsWith EqualNull EuclideanDistance Exp Extract FarmFingerprint First FirstValue Floor
    Greatest GroupConcat Grouping GroupingId Hour If Initcap IsArray IsInf IsNan JSONArrayContains JSONExtract
    JSONExtractArray JSONExtractScalar JSONKeys JSONType JSONValueArray Kurtosis Lag Last LastDay LastValue Lead
    Least Left Length Levenshtein Ln Log LogicalAnd LogicalOr Lower LowerHex MD5 MD5Digest Map MapFromEntries
    MapKeys MapSize Max Median Min Minute Mode Month Monthname MonthsBetween NthValue Ntile Nullif Nvl2
    ParseDatetime ParseJSON ParseTime PercentRank PercentileCont PercentileDisc Pi Pow Quantile Quarter Radians
    RangeBucket Rank RegexpCount RegexpExtract RegexpExtractAll RegexpFullMatch RegexpILike RegexpInstr
    RegexpLike RegexpReplace RegexpSplit RegrAvgx RegrAvgy RegrCount RegrIntercept RegrR2 RegrSlope RegrSxx
    RegrSxy RegrSyy Replace Reverse Right Round RowNumber SHA SHA2 SafeDivide Second Sign Sin Sinh Skewness
    Soundex Split SplitPart Sqrt StartsWith Stddev StddevPop StddevSamp StrPosition StrToDate StrToTime
    StrToUnix StringToArray Struct StructExtract Substring SubstringIndex Sum Tan Tanh Time TimeAdd TimeDiff
    TimeFromParts TimeStrToDate TimeStrToTime TimeStrToUnix TimeSub TimeToStr TimeToUnix TimeTrunc Timestamp
    TimestampAdd TimestampDiff TimestampFromParts TimestampSub TimestampTrunc ToArray ToDouble ToMap ToNumber
    Transform Translate Trim Trunc TryCast TsOrDsAdd TsOrDsDiff TsOrDsToDate TsOrDsToDateStr TsOrDsToDatetime
    TsOrDsToTime TsOrDsToTimestamp Typeof Unicode UnixDate UnixMicros UnixMillis UnixSeconds UnixToStr
    UnixToTime UnixToTimeStr Upper VarMap Variance VariancePop Week WeekOfYear WidthBucket Year YearOfWeek
    YearOfWeekIso
    """
)
_ROWS_OF_VALUES: Final = frozenset({"Explode", "Posexplode", "Unnest", "GenerateSeries", "GenerateDateArray"})

_CLICKHOUSE: Final = _words(
    """
    abs accuratecast accuratecastornull adddays addhours addminutes addmonths addquarters addseconds addweeks
    addyears age any anyheavy anylast argmax argmin arraycount arraycumsum arraydistinct arrayelement
    arrayexists arrayfilter arrayjoin arraymap arraymax arraymin arrayreverse arrayslice arraysort arraysum
    arrayuniq arrayavg arraystringconcat avg avgweighted bitand bitor bitxor ceiling coalesce concat corr count
    countsubstrings dateadd datediff datesub date_diff date_trunc dategnow day dayofmonth dayofweek dayofyear
    divide empty endswith equals extract extractall exponentialmovingaverage finalizeaggregation floor
    formatdatetime formatreadablequantity formatreadablesize fromunixtimestamp fromunixtimestamp64milli
    geodistance geotoh3 getyear greatcircledistance greatest groupbitand groupbitor grouparray groupuniqarray
    h3celltolatlng h3getresolution h3isvalid h3kring h3toparent h3tostring h3topoint h3togeo h3tocenterchild has
    hasall hasany hour ifnull if indexof intdiv intdivorzero isfinite isinfinite isnan isnotnull isnull
    jsonextract jsonextractbool jsonextractfloat jsonextractint jsonextractkeys jsonextractraw jsonextractstring
    jsonextractuint jsonhas jsonlength least left length lengthutf8 like lower lowerutf8 makedate makedatetime
    match max median medianexact min minus minute modulo month multiif multiply multisearchany negate neighbor
    not notempty notlike now now64 nullif parsedatetime parsedatetimebesteffort parsedatetimebesteffortornull
    plus pointinpolygon position positioncaseinsensitive quantile quantileexact quantiles quantilesexact
    quantiletdigest quarter replaceall replaceone replaceregexpall replaceregexpone reverse right round
    rounddown runningdifference second simplelinearregression siphash64 skewpop skewsamp splitbychar
    splitbystring splitbyregexp startswith stddevpop stddevsamp stringtoh3 substring substringutf8 subtractdays
    subtracthours subtractminutes subtractmonths subtractseconds subtractweeks subtractyears sum summap sumkahan
    sumwithoverflow tobool todate todate32 todateornull todatetime todatetime64 todatetime64ornull
    todatetimeornull today todayofmonth todayofweek todayofyear todecimal128 todecimal32 todecimal64
    tofixedstring tofloat32 tofloat32ornull tofloat64 tofloat64ornull tohour toint128 toint16 toint32
    toint32ornull toint64 toint64ornull toint8 tointervalday tointervalhour tointervalminute tointervalmonth
    tointervalsecond tointervalweek toisoweek toisoyear tolastdayofmonth tominute tomonday tomonth tonullable
    toquarter tosecond tostartofday tostartoffifteenminutes tostartoffiveminutes tostartofhour tostartofinterval
    tostartofisoyear tostartofminute tostartofmonth tostartofquarter tostartofsecond tostartoftenminutes
    tostartofweek tostartofyear tostring totimezone touint128 touint16 touint32 touint64 touint64ornull touint8
    tounixtimestamp touuid toweek toyear toyearweek toyyyymm toyyyymmdd topk transform trimboth trimleft trimright
    tuple tupleelement uniq uniqcombined uniqexact uniqhll12 upper upperutf8 varpop varsamp week windowfunnel
    retention sequencecount year yesterday xxhash64 xor
    """
)
_COMBINATORS: Final = re.compile(r"(?:If|Array|Distinct|OrNull|OrDefault|ForEach|ArgMin|ArgMax)$")
_DUCKDB: Final = _words(
    """
    age array_cosine_similarity array_distance bin bar century datepart date_part date_sub datesub day
    dayofmonth dayofweek dayofyear decade epoch_us epoch_ns era even factorial fmod gamma gcd hamming hash
    histogram hour ifnull isfinite isinf isodow isoyear jaccard jaro_similarity jaro_winkler_similarity
    json_array_length json_extract json_extract_string json_keys json_type json_valid julian kahan_sum favg fsum
    lcm list_aggregate list_any_value list_avg list_contains list_count list_distinct list_extract list_first
    list_has_all list_has_any list_last list_max list_median list_min list_mode list_position list_reverse_sort
    list_slice list_sort list_sum list_unique list_value ltrim mad map_contains map_entries map_values
    microsecond millennium millisecond minute month nfc_normalize product quantile_disc quarter regexp_escape
    regexp_extract regexp_extract_all regexp_matches row second signbit strip_accents struct_pack
    substring_grapheme timezone timezone_hour timezone_minute to_days to_hours to_microseconds to_milliseconds
    to_minutes to_months to_seconds to_weeks to_years try_strptime week weekday weekofyear year yearweek
    union_tag time_bucket sem entropy arg_max_null arg_min_null min_by max_by reservoir_quantile approx_quantile
    nextafter xor trunc
    """
)
_BIGQUERY: Final = _words(
    """
    approx_top_count array_first array_last array_length array_slice ceiling date_bucket datetime_bucket
    timestamp_bucket div format_date format_datetime format_time format_timestamp generate_array ieee_divide
    instr is_inf json_array json_keys json_query json_query_array json_value_array normalize_and_casefold
    octet_length offset ordinal safe_offset safe_ordinal parse_timestamp percentile_cont percentile_disc
    safe_add safe_multiply safe_negate safe_subtract st_area st_asgeojson st_astext st_centroid st_contains
    st_distance st_dwithin st_geogfromgeojson st_geogfromtext st_geogpoint st_intersects st_length st_within
    st_x st_y string timestamp_micros timestamp_millis timestamp_seconds to_json_string trunc unix_date
    """
)
_IMPALA: Final = _words(
    """
    appx_median ndv isnull nullifzero zeroifnull isnotnull istrue isfalse nonnullvalue nullvalue
    from_utc_timestamp to_utc_timestamp ceiling dceil dfloor dround fmod fnv_hash murmur_hash positive pmod
    quotient weeks_add weeks_sub days_add days_sub hours_add hours_sub minutes_add minutes_sub months_add
    months_sub seconds_add seconds_sub years_add years_sub int_months_between date_part dayname monthname
    next_day now precise_log unix_micros_to_utc_timestamp char_length find_in_set locate ltrim rtrim btrim
    regexp_like split_part strleft strright decode sort_array array_contains map_keys map_values named_struct
    posexplode size var_pop var_samp variance_pop stddev_pop stddev_samp
    """
)
_TABLES: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "clickhouse": frozenset({"numbers", "generateseries", "generate_series"}),
        "duckdb": frozenset({"range", "generate_series"}),
    }
)
_NAMED: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {"clickhouse": _CLICKHOUSE, "duckdb": _DUCKDB, "axionbigquery": _BIGQUERY, "axionimpala": _IMPALA}
)
_OF_ARRAYS: Final = ("array", "map")
_WITHOUT_LAMBDA: Final = _words(
    """
    array arrayagg arrayappend arrayconcat arrayconcatagg arraycontains arraycontainsall arrayelement arrayexcept
    arrayintersect arrayjoin arrayoverlaps arrayposition arrayprepend arrayremove arrayslice arraystringconcat
    arraytostring arrayuniq map
    """
)
_AGGREGATES: Final = (
    exp.AnonymousAggFunc,
    exp.CombinedAggFunc,
    exp.ParameterizedAgg,
    exp.CombinedParameterizedAgg,
)
_INSTEAD = "it is not among the functions that may be called (docs/raw-sql.md). Use one of those."


@dataclass(frozen=True, slots=True)
class Functions:
    """The functions of one engine: `named` by its own names in lower case, and `tables`, the table functions allowed
    after FROM.
    """

    named: frozenset[str]
    tables: frozenset[str]
    names_are_lambdas: bool = False
    """Whether the engine accepts a function's name as a lambda, and a string in VALUES as column definitions."""

    def require(self, node: exp.Func) -> None:
        """`SqlRefused` for a function that may not be called. Table functions are checked by `require_table`."""
        if self.names_are_lambdas:
            _require_lambda(node)
        if isinstance(node, (exp.Anonymous, *_AGGREGATES)):
            name = str(node.this) if isinstance(node.this, str) else ""
            if not self._is_named(name, node) and not (_is_table(node) and name.lower() in self.tables):
                refuse(f"The function {name or 'with a computed name'}", _INSTEAD, at=node)
        elif type(node).__name__ not in _KNOWN | _ROWS_OF_VALUES:
            refuse(f"The function {node.sql_name()}", _INSTEAD, at=node)

    def require_table(self, node: exp.Expr) -> None:
        """Checks an expression in a table's place after FROM. Its arguments are checked like all other values."""
        name = str(node.this).lower() if isinstance(node, exp.Anonymous) else ""
        if name not in self.tables and not self.makes_rows(node):
            shown = node.sql_name() if isinstance(node, exp.Func) and not name else name or type(node).__name__
            refuse(f"The table function {shown}", "raw SQL reads tables of the dataset. Name one of them.", at=node)

    def require_values(self, node: exp.Values) -> None:
        """In ClickHouse a string in VALUES defines columns and the expressions that compute them."""
        if self.names_are_lambdas:
            refuse("VALUES", "to ClickHouse a text in it is code. Write SELECT ... UNION ALL SELECT ...", at=node)

    def makes_rows(self, node: object) -> bool:
        """Whether the function makes rows from its arguments alone."""
        return type(node).__name__ in _ROWS_OF_VALUES

    def _is_named(self, name: str, node: exp.Func) -> bool:
        if isinstance(node, exp.CombinedAggFunc | exp.CombinedParameterizedAgg):
            while name.lower() not in self.named and (shorter := _COMBINATORS.sub("", name)) != name:
                name = shorter
        return name.isascii() and name.lower() in self.named


def functions_of(dialect: str) -> Functions:
    return Functions(_NAMED[dialect], _TABLES.get(dialect, frozenset()), names_are_lambdas=dialect == "clickhouse")


def _require_lambda(node: exp.Func) -> None:
    """ClickHouse calls the function `file` in `arrayMap(file, x)`, although the tree has a mere name there. So array
    functions must be called with a lambda expression, which is checked like any other.
    """
    name = (str(node.this) if isinstance(node, exp.Anonymous) else type(node).__name__).lower()
    name = "arraymap" if isinstance(node, exp.Transform) else name
    if not name.startswith(_OF_ARRAYS) or name in _WITHOUT_LAMBDA:
        return
    arguments = list(node.iter_expressions())
    if len(arguments) > 1 and not any(isinstance(argument, exp.Lambda) for argument in arguments):
        refuse(f"The function {name} without a lambda", "write x -> f(x) as its first argument.", at=node)


def _is_table(node: exp.Expr) -> bool:
    return isinstance(node.parent, exp.Table) and node.arg_key == "this"

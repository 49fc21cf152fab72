"""`data_contract`: what a table promises, checked before anything is made of it."""

load("@mlbuild//rules/ml:private/data_contract.bzl", _data_contract = "data_contract")

def data_contract(name, columns = {}, freshness = {}, drift = {}, **kwargs):
    """What a table promises. Whoever takes the contract as `data` waits until it holds.

    An `in` that is text names a column of another table: `{"carrier": {"in": ":airlines.carrier"}}`.
    `freshness` says how old the latest value of a time column may be on a given day:
    `{"time_hour": {"as_of": "2014-01-01", "max_age_days": 31}}`; the day is written down, so that the verdict is the same whenever
    it is asked. `drift` bounds how far a column may have moved from another table's, by its population stability index:
    `{"arr_delay": {"reference": ":last_year.arr_delay", "max_psi": 0.2}}`.
    """
    domains = []
    domain_of = []
    domain_columns = []
    resolved = {column: dict(rules) for column, rules in columns.items()}
    for column, rule in freshness.items():
        resolved.setdefault(column, {})["freshness"] = rule
    for column, rule in drift.items():
        resolved.setdefault(column, {})["drift"] = dict(rule)
    for column, rules in resolved.items():
        if type(rules.get("in")) == "string":
            rules["in"] = {"domain": len(domain_of)}
            _add_domain(columns[column]["in"], "`in` of column `%s`" % column, "a list, or ", domains, domain_of, domain_columns)
        if "drift" in rules:
            reference = rules["drift"].pop("reference", "")
            rules["drift"]["domain"] = len(domain_of)
            _add_domain(reference, "`reference` of the drift of column `%s`" % column, "", domains, domain_of, domain_columns)
    _data_contract(
        name = name,
        columns = resolved,
        domains = domains,
        domain_of = domain_of,
        domain_columns = domain_columns,
        **kwargs
    )

def _add_domain(text, what, instead, domains, domain_of, domain_columns):
    """Another table's column, `LABEL.COLUMN`, as the next of the rule's domains."""
    label, dot, column = text.rpartition(".")
    if not dot:
        fail("%s is `%s`: write %s`LABEL.COLUMN` for another table's column" % (what, text, instead))
    if label not in domains:
        domains.append(label)
    domain_of.append(domains.index(label))
    domain_columns.append(column)

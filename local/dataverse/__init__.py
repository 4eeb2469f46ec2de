"""A Dataverse on this machine: the Web API of Dynamics 365 over one SQLite file, for real clients.

Where to look:

    server      `start(Settings(...))` runs it inside a test, `python -m local.dataverse` as a process
    edge        what a request meets first: identity, limits, faults, latency, the log, `/admin`
    api         one module per family of addresses; `router` chooses among them
    odata       addresses, filters, query options, how rows are shown
    rows        the rules of writes: bodies, values, defaults, states, cascades
    store       rows in memory, written through to SQLite with the transaction that changes them
    schema      the tables: one file each under `tables/`, customisations on top
    flows       cloud flows and the service endpoint, the outbox, the sender

What it answers 501 to, on purpose: SQL and FetchXML queries, $apply, date and arithmetic functions in
filters, global choices. What it leaves out: security roles (privileges are taken away one by one through
`/admin/privileges`), plug-ins, audit history, business process flow rules, elastic tables.
"""

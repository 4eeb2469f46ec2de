"""A Dataverse on this machine: the Web API of Dynamics 365 over one SQLite file, for real clients.

Where to look:

    server      `start(Settings(...))` runs it inside a test, `python -m local.dataverse` as a process
    edge        what a request meets first: identity, limits, faults, latency, the log, `/admin`
    api         one module per family of addresses; `router` chooses among them
    odata       addresses, filters, query options, how rows are shown
    rows        the rules of writes: bodies, values, defaults, states, cascades
    store       rows in memory, written through to SQLite with the transaction that changes them
    schema      the tables: one file each under `tables/`, customisations on top
    organisations  two customers' own lengths, options and tables
    security    roles and who holds them, from a file or `/admin/security`
    flows       cloud flows and the service endpoint, the outbox, the sender

What it answers 501 to, on purpose: SQL and FetchXML queries, $apply, date and arithmetic functions in
filters. `docs/reference/dataverse-simulator.md` says what is simulated, what is not, and how sure we are.
"""

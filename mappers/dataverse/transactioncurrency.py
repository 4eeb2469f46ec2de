"""The transactioncurrency table: currencies. Only looked up, never written."""

from shared.core.mapping.columns import table, text

isocurrencycode = text("isocurrencycode", "Currency Code", 5)
currencyname = text("currencyname", "Currency Name", 100)

TABLE = table(
    "transactioncurrency", "transactioncurrencies", "transactioncurrencyid", isocurrencycode, currencyname
)

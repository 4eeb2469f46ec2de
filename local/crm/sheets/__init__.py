"""A legacy CRM without any API: people edit its records, and its exports are workbooks."""

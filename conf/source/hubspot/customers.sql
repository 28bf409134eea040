-- From CRM > Companies > Export, all properties, in English (another language gives other column names: see rename in the docs).
-- Every company is here, prospects too: a target asks only about those with a contract, or with tickets. It is known since it was put into the CRM.
-- Industry, country, parent and owner are today's, declared static. Lifecycle stage, type and number of contracts are today's and change: left out.
-- Of companies that were merged the one that was kept is exported; the ids of the others stand in "Merged Company IDs", see tickets and subscriptions.
-- Deleted companies are not exported: where leaving customers are deleted, keep them in a list until they have gone from the back-tests.
-- Property history is exported one property at a time, Settings > Properties > Export history, and keeps the last 20 values of a company: it is not read
-- here. From today on, record: {hubspot_companies: ["Record ID"]} and make record every night keep every change.
select "Record ID" as customer_id, "Create Date" as event_at, "Company name" as name, Industry as industry, "Country/Region" as country,
  "Parent Company" as parent_id, "Company owner" as owner, _file, _line
from hubspot_companies

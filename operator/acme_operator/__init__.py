"""The Acme operator: makes AcmeServices, AcmeDatastores and AcmeTopics so, and keeps them so."""

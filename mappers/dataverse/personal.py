"""Which columns hold personal data, and of what kind: the page a data protection officer reads (C-35).

Every text column of every table is here, also those that hold none; a test says so. Lookups, choices, numbers
and instants are not masked: they name no person by themselves.
"""

from collections.abc import Mapping

from shared.core.mapping.personal import Personal

_AUTHORS = {"tandem_createdby": Personal.EMAIL, "tandem_modifiedby": Personal.EMAIL}
_LEGACY = {"tandem_sourcekey": Personal.NO, **_AUTHORS}

_COMPANY = {
    # A sole trader's company bears the trader's name, lives at home and is called on a private phone.
    "name": Personal.NAME,
    "websiteurl": Personal.NO,
    "telephone1": Personal.PHONE,
    "fax": Personal.PHONE,
    "emailaddress1": Personal.EMAIL,
    "address1_line1": Personal.ADDRESS,
    "address1_city": Personal.ADDRESS,
    "address1_stateorprovince": Personal.NO,
    "address1_postalcode": Personal.ADDRESS,
    "address1_country": Personal.NO,
}

_ACTIVITY = {
    **_LEGACY,
    "subject": Personal.FREE_TEXT,
    "description": Personal.FREE_TEXT,
    "tandem_participants": Personal.FREE_TEXT,
}

PERSONAL: Mapping[str, Mapping[str, Personal]] = {
    "account": {
        **_LEGACY,
        **_COMPANY,
        "tandem_industry": Personal.NO,
        "tandem_tags": Personal.FREE_TEXT,
        "tandem_scoringblob": Personal.FREE_TEXT,
        "tandem_accountingcontact": Personal.NAME,
        "tandem_bikebrands": Personal.NO,
    },
    "contact": {
        **_LEGACY,
        "firstname": Personal.NAME,
        "lastname": Personal.NAME,
        "emailaddress1": Personal.EMAIL,
        "telephone1": Personal.PHONE,
        "mobilephone": Personal.PHONE,
        "jobtitle": Personal.FREE_TEXT,
        "tandem_companyids": Personal.NO,
        "tandem_tags": Personal.FREE_TEXT,
        "tandem_linkedin": Personal.FREE_TEXT,
        "tandem_preferredlanguage": Personal.NO,
        "tandem_role": Personal.NO,
        "tandem_companyname": Personal.NAME,
    },
    "lead": {
        **_LEGACY,
        "tandem_tags": Personal.FREE_TEXT,
        "subject": Personal.FREE_TEXT,
        "firstname": Personal.NAME,
        "lastname": Personal.NAME,
        "companyname": Personal.NAME,
        "emailaddress1": Personal.EMAIL,
        "telephone1": Personal.PHONE,
        "address1_city": Personal.ADDRESS,
        "address1_country": Personal.NO,
        "description": Personal.FREE_TEXT,
        "tandem_leadsource": Personal.NO,
        "tandem_leadstatus": Personal.NO,
    },
    "opportunity": {
        **_LEGACY,
        "name": Personal.FREE_TEXT,
        "tandem_pipelineid": Personal.NO,
        "tandem_stageid": Personal.NO,
        "tandem_stagename": Personal.NO,
        "tandem_lostreason": Personal.FREE_TEXT,
        "tandem_outcomereason": Personal.FREE_TEXT,
        "tandem_companyname": Personal.NAME,
        "tandem_contactname": Personal.NAME,
        "tandem_product": Personal.NO,
        "tandem_tags": Personal.FREE_TEXT,
        "tandem_decisioninterne": Personal.FREE_TEXT,
    },
    "quote": {
        **_LEGACY,
        "name": Personal.NO,
        "shipto_line1": Personal.ADDRESS,
        "shipto_city": Personal.ADDRESS,
        "shipto_stateorprovince": Personal.NO,
        "shipto_postalcode": Personal.ADDRESS,
        "shipto_country": Personal.NO,
        "tandem_quotenumber": Personal.NO,
        "tandem_quotestatus": Personal.NO,
        "tandem_companyname": Personal.NAME,
        "tandem_contactname": Personal.NAME,
        "tandem_opportunityname": Personal.FREE_TEXT,
        "tandem_customerorder": Personal.NO,
    },
    "quotedetail": {
        **_LEGACY,
        "productdescription": Personal.FREE_TEXT,
        "tandem_productcode": Personal.NO,
    },
    "campaign": {
        **_LEGACY,
        "name": Personal.NO,
        "tandem_campaigntype": Personal.NO,
        "tandem_campaignstatus": Personal.NO,
    },
    "campaignresponse": {
        **_LEGACY,
        "subject": Personal.NO,
        "emailaddress": Personal.EMAIL,
        "tandem_response": Personal.NO,
    },
    "incident": {
        **_LEGACY,
        "title": Personal.FREE_TEXT,
        "description": Personal.FREE_TEXT,
        "tandem_board": Personal.NO,
        "tandem_boardstatus": Personal.NO,
        "tandem_contactname": Personal.NAME,
        "tandem_assetname": Personal.NO,
    },
    "tandem_pipeline": {
        **_LEGACY,
        "tandem_name": Personal.NO,
        "tandem_businessunit": Personal.NO,
        "tandem_currencycode": Personal.NO,
    },
    "tandem_pipelinestage": {**_LEGACY, "tandem_name": Personal.NO},
    "tandem_tag": {
        **_LEGACY,
        "tandem_name": Personal.FREE_TEXT,
        "tandem_recordtype": Personal.NO,
        "tandem_recordid": Personal.NO,
    },
    "tandem_customfield": {
        **_LEGACY,
        "tandem_name": Personal.NO,
        "tandem_recordtype": Personal.NO,
        "tandem_label": Personal.NO,
        "tandem_fieldtype": Personal.NO,
        "tandem_options": Personal.NO,
    },
    "email": {
        **_ACTIVITY,
        "tandem_bodytext": Personal.FREE_TEXT,
        "email_activity_parties": Personal.FREE_TEXT,
    },
    "phonecall": {
        **_ACTIVITY,
        "phonenumber": Personal.PHONE,
        "tandem_unresolved": Personal.FREE_TEXT,
        "tandem_outcome": Personal.NO,
        "phonecall_activity_parties": Personal.FREE_TEXT,
    },
    "appointment": {
        **_ACTIVITY,
        "location": Personal.ADDRESS,
        "tandem_unresolved": Personal.FREE_TEXT,
        "tandem_timezone": Personal.NO,
        "appointment_activity_parties": Personal.FREE_TEXT,
    },
    "task": {
        **_ACTIVITY,
        "category": Personal.NO,
        "tandem_phonenumber": Personal.PHONE,
        "tandem_location": Personal.ADDRESS,
        "tandem_bodytext": Personal.FREE_TEXT,
        "tandem_outcome": Personal.NO,
        "tandem_timezone": Personal.NO,
    },
    "annotation": {
        **_LEGACY,
        "subject": Personal.FREE_TEXT,
        "notetext": Personal.FREE_TEXT,
        "filename": Personal.FREE_TEXT,
        "mimetype": Personal.NO,
        "documentbody": Personal.FREE_TEXT,
        "tandem_folder": Personal.FREE_TEXT,
        "tandem_filehash": Personal.NO,
    },
    "systemuser": {"internalemailaddress": Personal.EMAIL, "fullname": Personal.NAME},
    "team": {"name": Personal.NO},
    "pricelevel": {"name": Personal.NO},
    "transactioncurrency": {"isocurrencycode": Personal.NO, "currencyname": Personal.NO},
}
"""The kind of every text column, by table."""

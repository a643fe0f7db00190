"""Document type: bank statement."""

from mcp_pdf.extract.document_type import DocumentType, fields

TYPE = DocumentType(
    "bank_statement",
    fields(
        """
        account_holder name Holder of the account
        account_number id Account number
        iban iban IBAN of the account
        statement_date date Date of the statement
        period_from date First day of the period
        period_to date Last day of the period
        opening_balance amount Balance at the start
        closing_balance amount Balance at the end
        currency currency Currency of the account
        """
    ),
    cues=("opening_balance", "closing_balance", "statement_date"),
    checks=("period_in_order", "currency_agrees"),
)

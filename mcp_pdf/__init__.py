"""mcp_pdf: an MCP server that reads PDFs in isolated worker processes."""

__version__ = "0.1.0"

"""SCIM 2.0 as the bulkUpload API takes it: RFC 7643 and RFC 7644 names."""

"""The client side of OAuth 2 for external APIs: authorization code with PKCE (RFC 6749, RFC 7636), refresh,
revocation.
"""

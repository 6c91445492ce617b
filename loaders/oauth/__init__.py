"""OAuth 2 towards APIs of others: authorization code with PKCE (RFC 6749, RFC 7636), and refresh."""

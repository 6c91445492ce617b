// oidc-provider, the certified OpenID provider, on a free port of this machine: prints {"url": ...} when it answers.
// Its own pages ask for a login and for consent. Refresh tokens are rotated, and a used one ends the whole grant.
import http from "node:http";
import Provider from "oidc-provider";

const server = http.createServer();
server.listen(0, "127.0.0.1", () => {
  const url = `http://127.0.0.1:${server.address().port}`;
  const redirect = "http://127.0.0.1:9/oauth";
  const own = { redirect_uris: [redirect], grant_types: ["authorization_code", "refresh_token"] };
  const provider = new Provider(url, {
    clients: [
      { client_id: "axion", token_endpoint_auth_method: "none", ...own },
      { client_id: "axion-secret", client_secret: process.env.CLIENT_SECRET, ...own },
    ],
    pkce: { required: () => true },
    issueRefreshToken: async () => true,
    rotateRefreshToken: true,
    features: { revocation: { enabled: true } },
    ttl: { AccessToken: Number(process.env.ACCESS_SECONDS), RefreshToken: 3600 },
    cookies: { keys: ["of these tests"] },
  });
  let refreshes = 0;
  const answer = provider.callback();
  server.on("request", (request, response) => {
    if (request.url === "/count") {
      response.end(JSON.stringify({ refreshes }));
      return;
    }
    answer(request, response);
  });
  provider.on("grant.success", (context) => {
    if (context.oidc.params.grant_type === "refresh_token") refreshes += 1;
  });
  console.log(JSON.stringify({ url }));
});

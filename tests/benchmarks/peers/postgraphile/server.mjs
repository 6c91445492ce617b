// PostGraphile 5 as its documentation sets it up: the amber preset, grafserv on node's http server, one process.
// A bearer token is verified as the gateway verifies it (RS256, audience), and its claims reach Postgres as settings.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { makePgService } from "postgraphile/adaptors/pg";
import { grafserv } from "postgraphile/grafserv/node";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";
import { PgLazyJWTPreset } from "postgraphile/presets/lazy-jwt";
import { jsonPgSmartTags } from "postgraphile/utils";
import { postgraphile } from "postgraphile";

const { DATABASE_URL, PORT, JWT_KEY_FILE, JWT_AUDIENCE } = process.env;

// What the gateway's declarations say: the relation has no foreign key in the database (its target is partitioned).
const tags = jsonPgSmartTags({
  version: 1,
  config: {
    class: {
      "road_data.track_logs": { tags: { unique: "id" } },
      "road_data.frame_batches": {
        tags: { foreignKey: "(track_id) references road_data.track_logs (id)" },
      },
    },
  },
});

const pgl = postgraphile({
  extends: [PostGraphileAmberPreset, PgLazyJWTPreset],
  plugins: [tags],
  pgServices: [
    makePgService({
      connectionString: DATABASE_URL,
      schemas: ["public", "road_data"],
      poolConfig: { max: 10 },
    }),
  ],
  gather: { pgStrictFunctions: true },
  grafast: { explain: false },
  grafserv: {
    port: Number(PORT),
    graphiql: false,
    watch: false,
    pgJwtSecret: readFileSync(JWT_KEY_FILE),
    pgJwtVerifyOptions: { algorithms: ["RS256"], audience: JWT_AUDIENCE },
  },
});

const server = createServer();
await pgl.createServ(grafserv).addTo(server);
server.listen(Number(PORT), "127.0.0.1");

// Real clients against a gateway: what each of them makes of each answer, a line of JSON for each result it shows.
// node clients.mjs URL < {"token": ..., "questions": {name: document}}
import { readFileSync } from "node:fs";
import { ApolloClient, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { Defer20220824Handler, GraphQL17Alpha9Handler } from "@apollo/client/incremental";
import { Client, fetchExchange, gql as urqlGql } from "@urql/core";

const uri = process.argv[2];
const { token, questions } = JSON.parse(readFileSync(0, "utf8"));
const headers = { authorization: `Bearer ${token}` };

function codes(error) {
  if (!error) return [];
  const errors = error.networkError ? [] : (error.errors ?? error.graphQLErrors ?? []);
  return errors.length ? errors.map((each) => each.extensions?.code) : [String(error)];
}

function apollo(incrementalHandler) {
  const link = new HttpLink({ uri, headers });
  const client = new ApolloClient({ link, cache: new InMemoryCache(), incrementalHandler });
  return (document, say) =>
    new Promise((resolve) => {
      const watched = client
        .watchQuery({ query: gql(document), errorPolicy: "all", fetchPolicy: "network-only" })
        .subscribe(({ data, dataState, error, loading }) => {
          if (dataState !== "empty" || error) say({ data: data ?? null, codes: codes(error), more: loading });
          if (!loading) {
            watched.unsubscribe();
            resolve();
          }
        });
    });
}

function urql() {
  const client = new Client({ url: uri, exchanges: [fetchExchange], fetchOptions: { headers }, preferGetMethod: false });
  return (document, say) =>
    new Promise((resolve) => {
      client.query(urqlGql(document), {}).subscribe(({ data, error, hasNext }) => {
        say({ data: data ?? null, codes: codes(error), more: hasNext });
        if (!hasNext) resolve();
      });
    });
}

const clients = {
  "apollo 20220824": apollo(new Defer20220824Handler()),
  "apollo v0.2": apollo(new GraphQL17Alpha9Handler()),
  urql: urql(),
};
for (const [client, ask] of Object.entries(clients)) {
  for (const [question, document] of Object.entries(questions)) {
    await ask(document, (seen) => console.log(JSON.stringify({ client, question, ...seen })));
  }
}

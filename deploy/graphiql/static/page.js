// GraphiQL over this gateway: queries by POST, subscriptions by graphql-transport-ws, both on the page's own origin.
// The bearer token is the Headers editor's `Authorization`, or in the demo that of the user chosen at the top.
'use strict';

(async () => {
  const endpoint = '/graphql';
  const root = document.getElementById('graphiql');
  const page = await (await fetch(root.dataset.page)).json();
  const tokens = new Map();
  let user = page.users.length ? page.users[0] : null;

  async function authorization(headers) {
    const typed = Object.entries(headers || {}).find(([name]) => name.toLowerCase() === 'authorization');
    if (typed) return typed[1];
    if (!user) return null;
    if (!(tokens.get(user)?.until > Date.now())) {
      const answer = await fetch(`/demo/issuer/token?user=${user}`, { method: 'POST' });
      if (!answer.ok) throw new Error(`no token for ${user}: ${answer.status}`);
      const { access_token, expires_in } = await answer.json();
      tokens.set(user, { value: `Bearer ${access_token}`, until: Date.now() + (expires_in - 60) * 1000 });
    }
    return tokens.get(user).value;
  }

  // Of an Error, GraphiQL shows the stack as well: this is none, as the page is not at fault.
  function told(message) {
    return { message };
  }

  const sockets = new Map();

  function socket(token) {
    if (!sockets.has(token)) {
      const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
      const connectionParams = token ? { authorization: token } : {};
      const url = `${scheme}://${location.host}${endpoint}`;
      sockets.set(token, graphqlWs.createClient({ url, connectionParams, retryAttempts: 0 })); // a refusal is shown at once
    }
    return sockets.get(token);
  }

  async function* watch(parameters, token) {
    try {
      yield* socket(token).iterate(parameters);
    } catch (error) {
      if (error instanceof CloseEvent) throw told(`The gateway closed the WebSocket: ${error.code} ${error.reason}`);
      throw error;
    }
  }

  function isSubscription(document, name) {
    const operations = document.definitions.filter((definition) => definition.kind === 'OperationDefinition');
    const chosen = name ? operations.find((operation) => operation.name?.value === name) : operations[0];
    return chosen?.operation === 'subscription';
  }

  async function fetcher(parameters, options) {
    const token = await authorization(options?.headers);
    if (options?.documentAST && isSubscription(options.documentAST, parameters.operationName)) {
      return watch(parameters, token);
    }
    const headers = new Headers({
      accept: 'application/graphql-response+json, application/json;q=0.9',
      'content-type': 'application/json',
    });
    if (token) headers.set('authorization', token);
    for (const [name, value] of Object.entries(options?.headers ?? {})) headers.set(name, value); // in place of ours
    const answer = await fetch(endpoint, { method: 'POST', headers, body: JSON.stringify(parameters) });
    const type = answer.headers.get('content-type') ?? 'no type';
    if (!/^application\/([\w.-]+\+)?json/.test(type)) {
      await answer.body?.cancel();
      throw told(`HTTP ${answer.status}, ${type}: GraphiQL shows JSON only.`);
    }
    return answer.json();
  }

  const element = React.createElement;

  function Users() {
    const [chosen, choose] = React.useState(user);
    const change = (event) => {
      user = event.target.value || null;
      choose(user);
    };
    const options = [...page.users, ''].map((name) => element('option', { key: name, value: name }, name || 'no token'));
    return element(
      'select',
      { className: 'axion-user', title: 'Ask as this demo user', value: chosen ?? '', onChange: change },
      options,
    );
  }

  function Title() {
    return element('div', { className: 'axion-title' }, 'Axion', page.users.length ? element(Users) : null);
  }

  ReactDOM.createRoot(root).render(
    element(
      GraphiQL,
      {
        fetcher,
        defaultTabs: page.examples,
        defaultEditorToolsVisibility: 'variables',
        shouldPersistHeaders: false,
      },
      element(GraphiQL.Logo, null, element(Title)),
    ),
  );
})();

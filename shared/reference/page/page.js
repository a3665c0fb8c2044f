'use strict';

// The API is beside the page, behind the same stage and base path.
const api = location.origin + location.pathname.replace(/\/docs$/, '');

// Requests go to the API that served the page, not to the server that the document names. The page can get a token by
// itself: it has a scheme for that, which the document does not have, because generators of clients stumble over a second
// scheme beside bearer.
const prepared = (document) => {
  document.servers = [{url: api}];
  const schemes = document.components.securitySchemes;
  schemes.client = {
    type: 'oauth2',
    description: 'An OAuth 2.0 client with the client credentials grant. make run prints the id and the secret of its client.',
    flows: {clientCredentials: {tokenUrl: api + '/oauth/token', scopes: schemes.bearer['x-scopes']}},
  };
  for (const path of Object.values(document.paths)) {
    for (const operation of Object.values(path)) {
      if (operation['x-scopes']) {
        operation.security.push({client: operation['x-scopes']});
      }
    }
  }
  return document;
};

// The document links to problems.md, which the API serves as a page.
const linked = (text) => text.replaceAll('](problems.md', '](' + api + '/problems');

SwaggerUIBundle({
  url: '?file=openapi.yaml',
  dom_id: '#reference',
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  validatorUrl: null, // no badge of an external service
  plugins: [{
    statePlugins: {
      spec: {
        wrapActions: {
          updateSpec: (update) => (text) => update(linked(text)),
          updateJsonSpec: (update) => (document) => update(prepared(document)),
        },
      },
    },
  }],
});

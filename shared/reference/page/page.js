'use strict';

// Where the API is for whoever reads this: beside the page, whatever stage, base path or local door leads to it.
const api = location.origin + location.pathname.replace(/\/docs$/, '');

// Requests of the page go to the API that it came from, and not to where the document supposes it.
const atHome = (document) => {
  const supposed = document.servers[0].url;
  const clients = document.components.securitySchemes.client.flows.clientCredentials;
  clients.tokenUrl = clients.tokenUrl.replace(supposed, api);
  document.servers = [{url: api}];
  return document;
};

// The document links to a file beside it. It is shown as text, in which a browser finds an entry by its words.
const linked = (text) => text.replaceAll('](problems.md', '](?file=problems.md').replaceAll('problems.md#', 'problems.md#:~:text=');

SwaggerUIBundle({
  url: '?file=openapi.yaml',
  dom_id: '#reference',
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  validatorUrl: null, // the badge of a service elsewhere
  plugins: [{
    statePlugins: {
      spec: {
        wrapActions: {
          updateSpec: (update) => (text) => update(linked(text)),
          updateJsonSpec: (update) => (document) => update(atHome(document)),
        },
      },
    },
  }],
});

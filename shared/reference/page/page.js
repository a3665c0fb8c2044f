'use strict';

// The API is beside the page, behind the same stage and base path.
const api = location.origin + location.pathname.replace(/\/docs$/, '');

// Requests go to the API that served the page, not to the server that the document names.
const withServer = (document) => {
  const documented = document.servers[0].url;
  const clients = document.components.securitySchemes.client.flows.clientCredentials;
  clients.tokenUrl = clients.tokenUrl.replace(documented, api);
  document.servers = [{url: api}];
  return document;
};

// The document links to problems.md. The browser shows it as plain text and finds an entry by its text.
const linked = (text) => text.replaceAll('](problems.md', '](?file=problems.md').replaceAll('problems.md#', 'problems.md#:~:text=');

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
          updateJsonSpec: (update) => (document) => update(withServer(document)),
        },
      },
    },
  }],
});

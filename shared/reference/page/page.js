'use strict';

// The API is beside the page, behind the same stage and base path.
const api = location.origin + location.pathname.replace(/\/docs\/?$/, '');

// In the page, operations take a key that is made for each request, unless the reader enters one.
const keyHeader = 'Idempotency-Key';
const keyed = []; // the operations that need a key: a method, and a pattern of the address

// The headers that nearly every answer has are described once, in the introduction.
const common = /^(RateLimit-.*|X-Request-Id)$/;

// at returns what a reference inside the document names, or the value itself.
const at = (document, value) => value.$ref
  ? value.$ref.replace('#/', '').split('/').reduce((found, name) => found[name], document)
  : value;

// shown returns a parameter as the form shows it. Samples would fill the form: a sample of a key replays an old order, and
// a sample of an id or of a filter finds nothing. Only a SKU that is read stays.
const shown = (parameter, method) => {
  const {example, examples, ...field} = parameter;
  if (method === 'get' && field.name === 'sku') {
    return parameter;
  }
  const {examples: samples, ...schema} = field.schema;
  field.schema = schema;
  if (field.name === keyHeader) {
    field.required = false;
    field.description = 'Leave this empty: each Execute then sends a new key. To send a request again, enter its key.';
  }
  return field;
};

// brief returns an answer without the headers that all answers have. Problems have one form, so that they need no sample.
const brief = ({headers = {}, content, ...answer}) => {
  if (content?.['application/problem+json']) {
    return answer;
  }
  const own = Object.entries(headers).filter(([name]) => !common.test(name));
  return {...answer, ...(own.length && {headers: Object.fromEntries(own)}), ...(content && {content})};
};

// prepared makes the document fit the page. Requests go to the API that served the page, not to the server that the
// document names. The page can get a token by itself: it has a scheme for that, which the document does not have, because
// generators of clients stumble over a second scheme beside bearer.
const prepared = (document) => {
  document.servers = [{url: api}];
  document.info.description += '\n\nNearly every answer has an `X-Request-Id`, to quote in a report, and `RateLimit-` ' +
    'headers: how many requests are left, and the seconds until there are more. Errors have the form `Problem`, which is ' +
    'among the schemas below.';
  const schemes = document.components.securitySchemes;
  const client = {
    type: 'oauth2',
    description: 'An OAuth 2.0 client with the client credentials grant. make run prints the id and the secret of its client.',
    flows: {clientCredentials: {tokenUrl: api + '/oauth/token', scopes: schemes.bearer['x-scopes']}},
  };
  document.components.securitySchemes = {...schemes, client};
  for (const [path, operations] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      const parameters = (operation.parameters ?? []).map((p) => at(document, p));
      if (parameters.some((p) => p.name === keyHeader)) {
        keyed.push([method.toUpperCase(), new RegExp('^' + path.replace(/{[^}]*}/g, '[^/]+') + '$')]);
      }
      operation.parameters = parameters.map((p) => shown(p, method));
      for (const [status, answer] of Object.entries(operation.responses)) {
        operation.responses[status] = brief(at(document, answer));
      }
      if (operation['x-scopes'] && !operation.security.some((s) => s.client)) {
        operation.security.push({client: operation['x-scopes']});
      }
    }
  }
  return document;
};

// withKey gives a request a new key if it needs one and has none.
const withKey = (request) => {
  const path = new URL(request.url, api).pathname.slice(new URL(api).pathname.replace(/\/$/, '').length);
  if (!request.headers[keyHeader] && keyed.some(([method, p]) => method === request.method && p.test(path))) {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    request.headers[keyHeader] = Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');
  }
  return request;
};

// The document links to pages beside it. The API serves problems.md as a page, and the others as they are.
const linked = (text) => text.replaceAll('](problems.md', '](' + api + '/problems')
  .replaceAll('](test-cards.md', '](?file=test-cards.md');

// Names for controls that Swagger UI leaves without one, by selector.
const names = {
  '.dialog-ux .close-modal': 'Close',
  '.copy-to-clipboard button': 'Copy',
  '.body-param__text': 'Request body',
  '.examples-select-element': 'Example',
};

// named gives controls and regions what assistive technology needs, each time that the page has changed.
let opener = null; // had the focus when the dialog opened
const named = () => {
  for (const [selector, name] of Object.entries(names)) {
    document.querySelectorAll(`${selector}:not([aria-label])`).forEach((e) => e.setAttribute('aria-label', name));
  }
  document.querySelectorAll('.auth-btn-wrapper [aria-label]').forEach((e) => {
    if (!e.ariaLabel.startsWith(e.textContent)) {
      e.ariaLabel = e.textContent + ': ' + e.ariaLabel; // a name has the visible text in it
    }
  });
  document.querySelectorAll('pre:not([tabindex])').forEach((e) => e.setAttribute('tabindex', '0'));
  document.querySelectorAll('.info .title:not([role])').forEach((e) => {
    e.setAttribute('role', 'heading');
    e.setAttribute('aria-level', '1');
  });
  const dialog = document.querySelector('.dialog-ux .modal-ux');
  if (dialog && !dialog.hasAttribute('role')) {
    opener = document.activeElement?.closest('button') ?? document.querySelector('.btn.authorize');
    dialog.setAttribute('role', 'dialog');
    dialog.setAttribute('aria-modal', 'true');
    dialog.setAttribute('aria-label', 'Available authorizations');
  } else if (!dialog && opener) {
    opener.focus();
    opener = null;
  }
};
new MutationObserver(named).observe(document.getElementById('reference'), {childList: true, subtree: true});

// Escape closes the dialog.
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') {
    document.querySelector('.dialog-ux .close-modal')?.click();
  }
});

SwaggerUIBundle({
  url: '?file=openapi.yaml',
  dom_id: '#reference',
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  validatorUrl: null, // no badge of an external service
  requestInterceptor: withKey,
  plugins: [({React}) => ({
    components: {
      ServersContainer: () => null, // there is one server, this one
      DeepLink: ({text}) => React.createElement('span', null, text), // it is in a button, which changes the address itself
    },
    statePlugins: {
      spec: {
        wrapActions: {
          updateSpec: (update) => (text) => update(linked(text)),
          updateJsonSpec: (update) => (document) => update(prepared(document)),
        },
      },
    },
  })],
});

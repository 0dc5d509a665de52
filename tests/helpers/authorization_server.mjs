// A real authorization server on loopback (npm oidc-provider): PKCE required, dynamic registration, resource indicators,
// rotating refresh tokens, device codes, a login page and a consent page.
// node authorization_server.mjs MODULES OPTIONS ; prints {"issuer": …} when it listens, ends when its standard input does.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import http from 'node:http';
import path from 'node:path';

const [modules, text] = process.argv.slice(2);
const options = { port: 0, life: 60, registration: true, clients: [], anyPort: true, ...JSON.parse(text) };
const entry = path.join(modules, 'oidc-provider', 'lib', 'index.js');
const { Provider } = await import(pathToFileURL(entry));
createRequire(entry);

const state = { life: options.life, down: false, counts: {}, redirects: [] };
const count = (name) => { state.counts[name] = (state.counts[name] ?? 0) + 1; };
const server = http.createServer();
await new Promise((done) => server.listen(options.port, '127.0.0.1', done));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [
    { client_id: 'resource-server', client_secret: 'introspection', redirect_uris: [], grant_types: [], response_types: [], token_endpoint_auth_method: 'client_secret_post' },
    ...options.clients,
  ],
  scopes: ['openid', 'offline_access', 'mcp:tools', 'mcp:more'],
  pkce: { required: () => true },
  responseTypes: ['code'],
  clientDefaults: { grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'] },
  features: {
    registration: { enabled: options.registration },
    revocation: { enabled: true },
    introspection: { enabled: true, allowedPolicy: () => true },
    deviceFlow: { enabled: true },
    devInteractions: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: (ctx, client, oneOf) => oneOf ?? options.resource ?? [],
      useGrantedResource: () => true,
      getResourceServerInfo: (ctx, resource) => ({
        scope: 'mcp:tools mcp:more', audience: resource, accessTokenTTL: state.life, accessTokenFormat: 'opaque',
      }),
    },
  },
  issueRefreshToken: async () => !options.noRefresh,
  rotateRefreshToken: true,
  ttl: { AccessToken: () => state.life, RefreshToken: 3600, Session: 3600, Grant: 3600, Interaction: 600, DeviceCode: 600 },
  cookies: { keys: ['tests'] },
});
provider.on('grant.success', (ctx) => count(ctx.oidc.params.grant_type));
provider.on('grant.error', (ctx, error) => count(`${ctx.oidc?.params?.grant_type} ${error.error}`));
provider.on('registration_create.success', (ctx, client) => { count('registration'); state.redirects.push(...(client.redirectUris ?? [])); });
provider.on('revocation.error', (ctx, error) => count(`revocation ${error.error}`));

const handle = provider.callback();
server.on('request', async (request, response) => {
  const url = new URL(request.url, issuer);
  if (url.pathname === '/test/set') {
    Object.assign(state, JSON.parse(url.searchParams.get('values')));
    response.end('{}');
  } else if (url.pathname === '/test/get') {
    response.end(JSON.stringify(state));
  } else if (url.pathname === '/test/end') {
    await (await provider.AccessToken.find(url.searchParams.get('token'))).destroy();
    response.end('{}');
  } else if (url.pathname === '/token' && state.down) {
    response.writeHead(503).end('down');
  } else if (url.pathname === '/auth' && state.onlyPort && !(url.searchParams.get('redirect_uri') ?? '').includes(`:${state.onlyPort}/`)) {
    response.writeHead(400).end('this redirect_uri was not registered');
  } else {
    if (url.pathname === '/token/revocation') count('revocation');
    handle(request, response);
  }
});
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
console.log(JSON.stringify({ issuer }));

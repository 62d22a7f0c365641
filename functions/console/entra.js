// Sign-in by Microsoft Entra ID: MSAL, authorisation code with PKCE. Loaded only where tokens count.
// Tokens are kept in memory: after a reload Entra, which still knows the person, is asked again.
const MSAL = "/console/vendor/msal-browser.min.js";
let client = null;

function load() {
  return new Promise((resolve, reject) => {
    if (globalThis.msal) {
      resolve(globalThis.msal);
      return;
    }
    const script = document.createElement("script");
    script.src = MSAL;
    script.onload = () => resolve(globalThis.msal);
    script.onerror = () => reject(new Error("MSAL is not there"));
    document.head.append(script);
  });
}

async function clientOf(way) {
  if (client) return client;
  const { createStandardPublicClientApplication } = await load();
  client = await createStandardPublicClientApplication({
    auth: {
      clientId: way.client_id,
      authority: `${way.authority}/${way.tenant_id}`,
      redirectUri: `${location.origin}/console`,
      postLogoutRedirectUri: `${location.origin}/console`,
    },
    cache: { cacheLocation: "memoryStorage" },
  });
  return client;
}

export async function startSignIn(way) {
  const app = await clientOf(way);
  await app.loginRedirect({ scopes: [way.scope] });
}

// What Entra has sent us back with: {credentials, leave}; null where nobody comes from there.
export async function finishSignIn(way) {
  const app = await clientOf(way);
  const found = await app.handleRedirectPromise();
  if (!found) return null;
  const request = { scopes: [way.scope], account: found.account };
  const credentials = async () => {
    const { accessToken } = await app.acquireTokenSilent({
      ...request,
      cacheLookupPolicy: globalThis.msal.CacheLookupPolicy.AccessTokenAndRefreshToken,
    });
    return { Authorization: `Bearer ${accessToken}` };
  };
  return { credentials, leave: () => app.logoutRedirect({ account: found.account }) };
}

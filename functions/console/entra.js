// Sign-in by Microsoft Entra ID: MSAL, authorisation code with PKCE. Loaded only where tokens count.
// Tokens lie in sessionStorage, which goes with the tab: MSAL takes nobody elsewhere and back with memory alone.
import { Problem } from "./api.js";
import { lose } from "./session.js";

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
    script.onerror = () => reject(new Problem({ status: 0, code: "offline" }));
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
    cache: { cacheLocation: "sessionStorage" },
  });
  return client;
}

export async function startSignIn(way) {
  const app = await clientOf(way);
  await app.loginRedirect({ scopes: [way.scope] });
}

// Whom Entra has sent back, or who signed in before this page was loaded anew: {credentials, leave}; null for nobody.
export async function finishSignIn(way) {
  const app = await clientOf(way);
  const account = (await app.handleRedirectPromise())?.account ?? app.getAllAccounts()[0];
  if (!account) return null;
  const credentials = async () => ({ Authorization: `Bearer ${await tokenOf(app, way, account)}` });
  return { credentials, leave: () => app.logoutRedirect({ account }) };
}

// A token that still counts, a new one where it is about to end. After a day or so Entra wants to see the person again.
async function tokenOf(app, way, account) {
  try {
    const { accessToken } = await app.acquireTokenSilent({
      scopes: [way.scope],
      account,
      cacheLookupPolicy: globalThis.msal.CacheLookupPolicy.AccessTokenAndRefreshToken,
    });
    return accessToken;
  } catch (error) {
    if (!(error instanceof globalThis.msal.InteractionRequiredAuthError)) {
      throw new Problem({ status: 0, code: "offline" });
    }
    await app.clearCache({ account });
    lose();
    throw new Problem({ status: 401, code: "http_401" });
  }
}

using AuditCli.Collectors.Redaction;
using AuditCli.Collectors.Rest;

namespace AuditCli.Collectors.HttpApi;

/// <summary>Products with HTTP APIs in the catalogue of sources.</summary>
internal static class HttpApiEntry
{
    public static CollectorEntry Create()
    {
        var catalogue = new RestCatalogue(HttpApiProducts.Catalogue);
        return new()
        {
            Source = HttpApiSource.Create(),
            Title = "HTTP APIs",
            Implementation = typeof(HttpApiCollector),
            Open = context => new HttpApiCollector(context.Transport, context.Clock, context.CredentialUsed),
            Permissions = (operations, _) => HttpApiPermissions.Document(operations),
            PermissionForm = "the scopes and roles of each product (text)",
            Call = new(
                "Call one operation of a product with an HTTP API, with the credentials of its own tools or those of an engagement's target.",
                "As <product>:<operation>, such as okta:users.list.",
                """
                Prints the product's own JSON: for a list, the elements of all pages in one array; otherwise the response itself. A list with
                fewer rows than the product counts, or with as many as it returns at most, is incomplete. Credentials come from the variables
                of the product's own tools (OKTA_API_TOKEN, AZURE_CLIENT_ID and so on) or those that --engagement names.

                Examples:
                  auditcli call http okta:users.list --url https://acme.okta.com
                  auditcli call http okta:users.list filter='status eq "DEPROVISIONED"' --url https://acme.okta.com
                  auditcli call http entra:users.list --product entra
                  auditcli call http jira:issues.search jql='project = CHG and created >= 2026-01-01' --url https://acme.atlassian.net
                """,
                [
                    new("--url", "URL", "The product's address.", "url"),
                    new("--product", "P", "The product; default the one that the host shows.", "product"),
                ],
                null,
                _ => null),
            Starter = new("idp", "{ url: \"https://acme.okta.com\" }", "OKTA_API_TOKEN has the token; product: entra | jira | servicenow for others")
            {
                Variables = ["OKTA_CLIENT_ORGURL", "OKTA_API_TOKEN"],
            },
            NewControl = new("API", "okta:users.list", "id"),
            Quick = new("Without an engagement: one product with an HTTP API, with the credentials in your environment.")
            {
                Needs = new("--url", "URL", "With --http: the product's address.", "url"),
                Variables = ["OKTA_CLIENT_ORGURL"],
                Missing = "--http needs an address: give --url https://HOST",
            },
            Fields = new()
            {
                Dropped = ["X-Okta-XSRFToken", "X-UserToken", "X-Atlassian-Token", "X-AUSERNAME"],
                DroppedParameters = ["sysparm_ck", "X-Amz-Security-Token"],
                RequestIds = ["X-Okta-Request-Id", "request-id", "X-ARequestId", "X-Transaction-ID"],
            },
            Codes = HttpApiCodes.All,
            SecretPlaces =
                [.. catalogue.ApiNames.SelectMany(n => catalogue.Api(n)!.Texts("secrets")).Select(path => new RedactedPlace("product-secret", path))],
            UncheckedPlaces = ["product"],
        };
    }
}

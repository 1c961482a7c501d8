using System.Text;
using System.Text.Json;
using AuditCli.Collectors.Aws.Catalogue;
using AuditCli.Collectors.Aws.Protocols;
using AuditCli.Collectors.Redaction;
using AuditCli.Collectors.Running;

namespace AuditCli.Collectors.Tests.Redaction;

/// <summary>Distinguishes the page token of a response from values that only have the name of one.</summary>
public sealed class PageTokenTests
{
    private const string Signed = "eyJhbGciOiJub25lIn0.eyJwYWdlIjoyfQ0K.c2lnbmF0dXJl";
    private const string Encoded = "cGFzc3dvcmQ6IGh1bnRlcjJodW50ZXIy";
    private const string Letters = "aB3dE5fGaB3dE5fGaB3dE5fGaB3dE5fGaB3dE5fG";
    private static readonly AnswerPlaces OfList = new RedactedPlace("", "/metadata/continue").AsPageToken();

    [Theory]
    [InlineData("marker")]
    [InlineData("continue")]
    [InlineData("nextToken")]
    [InlineData("nextPageToken")]
    [InlineData("position")]
    [InlineData("paginationToken")]
    public void The_name_of_a_page_token_makes_no_value_one(string name)
    {
        foreach (var secret in new[] { Signed, Encoded, "ghp_" + Letters[..36], "https://u:" + Letters[..20] + "@x.example/" })
        {
            var inside = JsonSerializer.Serialize(new Dictionary<string, string> { [name] = secret });
            foreach (var body in new[]
            {
                $$$"""{"{{{name}}}":"{{{secret}}}"}""",
                $$$"""{"items":[{"metadata":{"annotations":{"{{{name}}}":"{{{secret}}}"} }}]}""",
                $$$"""{"items":[{"metadata":{"{{{name}}}":"{{{secret}}}"}}]}""",
                JsonSerializer.Serialize(new { note = inside }),
                JsonSerializer.Serialize(new { note = $"{name}={secret}" }),
                JsonSerializer.Serialize(new { note = $"{name}: {secret}" }),
                $"<R><Row><{name}>{secret}</{name}></Row></R>",
                $"{name}={secret}",
            })
            {
                var (clean, digest) = Apply(body, OfList);
                Assert.NotNull(digest);
                Assert.DoesNotContain(secret[^20..^14], clean, StringComparison.Ordinal);
            }
        }
    }

    [Theory]
    [InlineData("ghp_" + Letters)]
    [InlineData("glpat-aB3dE5fGaB3dE5fGaB3dE5fG")]
    [InlineData("AIzaaB3dE5fGaB3dE5fGaB3dE5fGaB3dE5fGaB3")]
    [InlineData("https://x.example/items?after=hvs.aB3dE5fGaB3dE5fGaB3dE5fG")]
    [InlineData("-----BEGIN PRIVATE KEY-----\\naB3dE5fG\\n-----END PRIVATE KEY-----")]
    public void A_page_token_with_the_form_of_a_credential_goes_and_is_never_sent_back(string token)
    {
        var clean = Apply($$$"""{"metadata":{"continue":"{{{token}}}"}}""", OfList).Body;
        Assert.DoesNotContain("aB3dE5fG", clean, StringComparison.Ordinal);
        Assert.NotEmpty(BodyRedaction.Find(Encoding.UTF8.GetBytes(clean), 10, OfList));
        var left = JsonElement.Parse(clean).GetProperty("metadata").GetProperty("continue").GetString()!;
        var refused = Assert.Throws<CollectionException>(() => new GivenTokens("x").Add(left));
        Assert.Equal(Codes.NextPageUnreadable, refused.Code);
    }

    [Theory]
    [InlineData(Signed)]
    [InlineData(Encoded)]
    [InlineData("eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6NX0")]
    [InlineData("https://graph.example/v1.0/users?$top=100&$skiptoken=RFNwdAIAAQAAABI6YUIzZEU1Zkc")]
    public void The_page_token_of_a_response_stays(string token)
    {
        var body = $$$"""{"metadata":{"continue":"{{{token}}}"}}""";
        Assert.Equal((body, null), Apply(body, OfList));
    }

    /// <summary>An opaque token is random letters, in which the short beginnings of other forms occur by chance.</summary>
    [Fact]
    public void No_opaque_page_token_is_taken_for_a_credential()
    {
        var random = new Random(7);
        var bytes = new byte[600];
        for (var n = 0; n < 20_000; n++)
        {
            random.NextBytes(bytes);
            var token = Convert.ToBase64String(bytes);
            Assert.False(KeyForms.IsIn(token) || KeyForms.IsIn(token.Replace('+', '-').Replace('/', '_')), token);
        }
    }

    [Theory]
    [InlineData("iam", "ListUsers", "<ListUsersResponse><ListUsersResult>{0}<Marker>{1}</Marker></ListUsersResult></ListUsersResponse>", "")]
    [InlineData(
        "iam", "ListUsers", "<ListUsersResponse><ListUsersResult><Users><member><Marker>{1}</Marker></member></Users></ListUsersResult></ListUsersResponse>",
        "gone")]
    [InlineData("s3", "ListObjects", "<ListBucketResult><NextMarker>{1}</NextMarker></ListBucketResult>", "")]
    [InlineData("s3", "ListObjects", "<ListBucketResult><Contents><Key>{1}</Key></Contents></ListBucketResult>", "gone")]
    public void In_XML_only_the_place_that_the_catalogue_names_holds_one(string service, string operation, string body, string gone)
    {
        var model = new AwsCatalogue().Service(service)!;
        var places = AnswerSecrets.Of(model, [model.Operation(operation)!]);
        foreach (var token in new[] { Signed, Encoded })
        {
            var clean = Apply(string.Format(System.Globalization.CultureInfo.InvariantCulture, body, "", token), places).Body;
            Assert.Equal(gone.Length == 0, clean.Contains(token, StringComparison.Ordinal));
        }
    }

    [Fact]
    public void In_the_URL_of_a_request_the_page_token_stays_and_in_a_text_it_goes()
    {
        Assert.Equal($"/items?pageToken={Signed}", CredentialText.InUrl($"/items?pageToken={Signed}"));
        Assert.DoesNotContain(Signed, CredentialText.InUrl($"/items?other={Signed}"), StringComparison.Ordinal);
        Assert.DoesNotContain(Signed, CredentialText.Clean($"asked for /items?pageToken={Signed}"), StringComparison.Ordinal);
    }

    private static (string Body, string? Digest) Apply(string body, AnswerPlaces? places)
    {
        var (clean, digest) = new BodyRedaction(new byte[32]).Apply(Encoding.UTF8.GetBytes(body), places);
        return (Encoding.UTF8.GetString(clean.Span), digest);
    }
}

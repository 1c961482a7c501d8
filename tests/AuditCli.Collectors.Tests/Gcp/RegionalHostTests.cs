using AuditCli.Collectors.Gcp;
using AuditCli.Collectors.Gcp.Client;
using AuditCli.Collectors.Rest;
using AuditCli.Evidence;
using AuditCli.Tests;

namespace AuditCli.Collectors.Tests.Gcp;

/// <summary>Reads operations that a host of their location serves: which host that is, what it may be asked, live and replayed.</summary>
[Collection("environment")]
public sealed class RegionalHostTests
{
    private const string List = "aiplatform:projects.locations.endpoints.list";
    private const string Get = "aiplatform:projects.locations.endpoints.get";

    private const string Resources = """
        {
          "/v1/projects/p-one/locations/europe-west1/endpoints": {
            "permission": "aiplatform.endpoints.list", "list": "endpoints",
            "data": [
              { "name": "projects/1/locations/europe-west1/endpoints/1", "displayName": "a" },
              { "name": "projects/1/locations/europe-west1/endpoints/2", "displayName": "b" },
              { "name": "projects/1/locations/europe-west1/endpoints/3", "displayName": "c" } ] },
          "/v1/projects/p-one/locations/us-central1/endpoints": {
            "permission": "aiplatform.endpoints.list", "list": "endpoints",
            "data": [{ "name": "projects/1/locations/us-central1/endpoints/9", "displayName": "z" }] },
          "/v1/projects/1/locations/us-central1/endpoints/9": { "body": { "name": "projects/1/locations/us-central1/endpoints/9", "displayName": "z" } }
        }
        """;

    private static readonly RestApi Api = new RestCatalogue(GcpSource.Catalogue).Api("aiplatform")!;

    private static string[] Names(IEnumerable<Page> pages) =>
        [.. pages.SelectMany(p => p.Rows).Select(r => r.Value.GetProperty("displayName").GetString()!)];

    [Fact]
    public async Task Each_location_is_read_by_itself_and_is_the_same_when_it_is_replayed()
    {
        using var server = new GoogleServer(Resources);
        await using var live = Session.Live(server);

        Assert.Equal(["a", "b", "c"], Names(await live.CollectAsync(List, ("location", "europe-west1"))));
        Assert.Equal(["z"], Names(await live.CollectAsync(List, ("location", "us-central1"))));
        Assert.Equal(["z"], Names(await live.CollectAsync(Get, ("name", "projects/1/locations/us-central1/endpoints/9"))));
        await live.Transport.DisposeAsync();
        Assert.Equal(
            ["aiplatform-europe-west1.warc.gz", "aiplatform-us-central1.warc.gz", "aiplatform-us-central1_p-one.warc.gz"],
            Directory.EnumerateFiles(live.Folder, "aiplatform-*", SearchOption.AllDirectories).Select(Path.GetFileName).Order(StringComparer.Ordinal));

        await using var again = Session.Replay(live);
        Assert.Equal(["a", "b", "c"], Names(await again.CollectAsync(List, ("location", "europe-west1"))));
        Assert.Equal(["z"], Names(await again.CollectAsync(List, ("location", "us-central1"))));
        Assert.Equal(["z"], Names(await again.CollectAsync(Get, ("name", "projects/1/locations/us-central1/endpoints/9"))));
        var e = await Assert.ThrowsAsync<CollectionException>(() => again.CollectAsync(List, ("location", "asia-east1")));
        Assert.Equal("NoRecording", e.Code);
    }

    [Fact]
    public async Task A_denied_location_is_never_complete()
    {
        using var server = new GoogleServer(Resources);
        server.Permissions["MARKERtokenOfServiceAccountMARKER"] = [];
        await using var session = Session.Live(server);

        var e = await Assert.ThrowsAsync<CollectionException>(() => session.CollectAsync(List, ("location", "europe-west1")));

        Assert.Equal("PERMISSION_DENIED", e.Code);
    }

    [Theory]
    [InlineData(List, "location", "europe-west1.example.com/", "location is 'europe-west1.example.com/', and must be a location such as europe-west1")]
    [InlineData(List, "location", "-", "location is '-', and must be a location such as europe-west1")]
    [InlineData(List, "location", "", "location is '', and must be a location such as europe-west1")]
    [InlineData(List, "location", "europe-west1@evil", "location is 'europe-west1@evil', and must be a location such as europe-west1")]
    [InlineData(List, "parent", "projects/p-one", "needs the parameter location, because each location has a host of its own")]
    [InlineData(Get, "name", "projects/1/locations/evil.example#/endpoints/9", "location is 'evil.example#', and must be a location such as europe-west1")]
    [InlineData(Get, "name", "projects/1/locations/-/endpoints/9", "location is '-', and must be a location such as europe-west1")]
    public async Task What_is_no_location_leads_to_no_host(string operation, string name, string value, string message)
    {
        using var server = new GoogleServer(Resources);
        await using var session = Session.Live(server);

        var e = await Assert.ThrowsAsync<CollectionException>(() => session.CollectAsync(operation, (name, value)));

        Assert.Equal(("InvalidParameter", $"{operation}: {message}"), (e.Code, e.Message));
        Assert.DoesNotContain(server.Seen, r => r.Path.Contains("endpoints", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_name_of_another_location_is_refused()
    {
        using var server = new GoogleServer(Resources);
        await using var session = Session.Live(server);

        var e = await Assert.ThrowsAsync<CollectionException>(() =>
            session.CollectAsync(Get, ("location", "europe-west1"), ("name", "projects/1/locations/us-central1/endpoints/9")));

        Assert.Equal($"{Get}: name is about us-central1, but location is europe-west1", e.Message);
    }

    [Theory]
    [InlineData("GET", "https://europe-west1-aiplatform.googleapis.com/v1/projects/p/locations/europe-west1/endpoints", true)]
    [InlineData("GET", "https://europe-west1-aiplatform.googleapis.com/v1/projects/p/locations/europe-west1/endpoints/9", true)]
    [InlineData("GET", "https://europe-west1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1/endpoints", false)]
    [InlineData("GET", "https://europe-west1-aiplatform.googleapis.com/v1/projects/p/locations/europe-west%31/endpoints", true)]
    [InlineData("GET", "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/europe-west1/endpoints", false)]
    [InlineData("GET", "https://aiplatform.googleapis.com/v1/projects/p/locations/europe-west1/endpoints", false)]
    [InlineData("GET", "https://europe-west1-aiplatform.googleapis.com.example.com/v1/projects/p/locations/europe-west1/endpoints", false)]
    [InlineData("GET", "http://europe-west1-aiplatform.googleapis.com/v1/projects/p/locations/europe-west1/endpoints", false)]
    [InlineData("POST", "https://europe-west1-aiplatform.googleapis.com/v1/projects/p/locations/europe-west1/endpoints", false)]
    [InlineData("POST", "https://europe-west1-aiplatform.googleapis.com/v1/projects/p/locations/europe-west1/endpoints/9:predict", false)]
    [InlineData("GET", "https://europe-west1-aiplatform.googleapis.com/v1/projects/p/locations/europe-west1/models", false)]
    public void The_guard_allows_exactly_the_host_of_the_location_and_what_it_serves(string method, string url, bool allowed)
    {
        Environment.SetEnvironmentVariable("CLOUDSDK_API_ENDPOINT_OVERRIDES_AIPLATFORM", null);
        var address = Endpoints.Of(Api, Api.Operation("projects.locations.endpoints.list")!, "europe-west1");
        using var request = new HttpRequestMessage(new(method), url);

        Assert.Equal(allowed, new RequestCheck(Api, address, "europe-west1").Refusal(request) is null);
        // The host of the whole API serves none of it.
        Assert.NotNull(new RequestCheck(Api, Endpoints.Host(Api)).Refusal(request));
        Assert.True(Endpoints.IsProvider(address));
    }

    [Fact]
    public void Every_template_has_its_parameter_and_leads_to_Google() => Assert.All(
        new RestCatalogue(GcpSource.Catalogue).ApiNames.Select(n => new RestCatalogue(GcpSource.Catalogue).Api(n)!)
            .SelectMany(a => a.OperationNames.Select(o => a.Operation(o)!)),
        o =>
        {
            Assert.Equal(o.Host is not null, o.Parameters.Any(p => p is { Place: ParameterPlace.Host, Name: Location.Parameter, Type: ColumnType.Text }));
            Assert.Matches(@"\Ahttps://\{location\}-[a-z]+\.googleapis\.com/\z", o.Host ?? "https://{location}-any.googleapis.com/");
        });

    [Fact]
    public void A_control_with_something_else_than_a_location_is_refused_when_it_is_loaded()
    {
        var parameter = GcpSource.Create().FindOperation(List)!.Parameters.Single(p => p.Name == Location.Parameter);

        Assert.True(parameter.Required);
        Assert.Null(parameter.WhyNot("northamerica-northeast1"));
        Assert.Equal("is 'eu_west', and must be a location such as europe-west1", parameter.WhyNot("eu_west"));
        Assert.False(GcpSource.Create().FindOperation(Get)!.Parameters.Single(p => p.Name == Location.Parameter).Required);
    }
}

using System.Diagnostics;
using AuditCli.Collectors.Gcp;
using AuditCli.Collectors.Rest;
using AuditCli.Evidence;
using AuditCli.Tests;

namespace AuditCli.Collectors.Tests.Gcp;

public sealed class CatalogueTests
{
    private readonly RestCatalogue _catalogue = new(GcpSource.Catalogue);
    private readonly EvidenceSource _source = GcpSource.Create();

    public static TheoryData<string> Apis => [.. new RestCatalogue(GcpSource.Catalogue).ApiNames];

    [Theory]
    [MemberData(nameof(Apis))]
    public void Every_operation_is_a_get_with_a_read_verb_or_says_why_it_only_reads(string name)
    {
        var api = _catalogue.Api(name)!;

        Assert.NotEmpty(api.OperationNames);
        Assert.All(api.OperationNames.Select(o => api.Operation(o)!), o =>
        {
            Assert.True(o.Method is "GET" or "POST", o.Name);
            Assert.True(o.Reads is not null || o.Method == "GET" && ReadVerbs.Any(v => o.Name.Split('.')[^1].StartsWith(v, StringComparison.Ordinal)), o.Name);
            // Pages can be joined only if the response has rows.
            Assert.True(o.Pager is null || o.Rows is not null, o.Name);
            Assert.Equal(o.Columns.Length, o.Columns.Select(c => c.Name.ToLowerInvariant()).Distinct().Count());
        });
        Assert.All(api.Refused, r => Assert.Null(api.Operation(r.Key)));
    }

    [Theory]
    [InlineData("storage:objects.get")]
    [InlineData("bigquery:tabledata.list")]
    [InlineData("compute:instances.getSerialPortOutput")]
    public void Data_are_refused_with_the_reason(string operation)
    {
        Assert.Null(_source.FindOperation(operation));
        Assert.Contains("is refused because", Assert.Single(_source.Suggest(operation)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("iam:serviceAccounts.list", "iam:projects.serviceAccounts.list")]
    [InlineData("cloudresourcemanager:project.search", "cloudresourcemanager:projects.search")]
    [InlineData("cloudresourcemanager.v3:projects.search", "cloudresourcemanager:projects.search")]
    public void A_near_miss_gets_a_hint(string written, string meant) => Assert.Contains(meant, _source.Suggest(written));

    [Fact]
    public void Columns_have_the_apis_names_and_types()
    {
        var instances = _source.FindOperation("compute:instances.aggregatedList")!;
        var keys = _source.FindOperation("iam:projects.serviceAccounts.keys.list")!;

        Assert.Equal(new Column("_key", ColumnType.Text), instances.Columns[0]);
        Assert.Contains(new Column("id", ColumnType.Integer), instances.Columns);
        Assert.Contains(new Column("validAfterTime", ColumnType.Timestamp), keys.Columns);
        Assert.Contains(new Column("timeCreated", ColumnType.Timestamp), _source.FindOperation("storage:buckets.list")!.Columns);
        Assert.Contains(new Column("bindings", ColumnType.Json), _source.FindOperation("cloudresourcemanager:projects.getIamPolicy")!.Columns);
        Assert.True(keys.Parameters.Single(p => p.Name == "name").Required);
        Assert.False(_source.FindOperation("iam:projects.serviceAccounts.list")!.Parameters.Single(p => p.Name == "name").Required);
        Assert.DoesNotContain(instances.Parameters, p => p.Name == "pageToken");
    }

    [NeedsFact("gcloud", "python3")]
    public async Task The_catalogue_is_what_its_generator_makes_of_the_clis_description()
    {
        var start = new ProcessStartInfo("python3") { RedirectStandardError = true, RedirectStandardOutput = true };
        start.ArgumentList.Add(Repository.Path("src", "AuditCli.Collectors", "Gcp", "Catalogue", "generate.py"));
        start.ArgumentList.Add("--check");
        using var process = Process.Start(start)!;
        var said = await process.StandardOutput.ReadToEndAsync() + await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();

        // Another release of the CLI describes other operations. The generator then stops with this message, and comparing would prove
        // nothing.
        Assert.True(process.ExitCode == 0 || said.Contains("the catalogue is made from Google Cloud CLI", StringComparison.Ordinal), said);
    }

    private static readonly string[] ReadVerbs = ["get", "list", "search", "aggregatedList", "fetch", "analyze", "effective", "query"];
}

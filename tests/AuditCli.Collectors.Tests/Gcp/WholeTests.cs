using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Collectors.Gcp;
using AuditCli.Collectors.Rest;
using AuditCli.Evidence;

namespace AuditCli.Collectors.Tests.Gcp;

/// <summary>Checks which requests are made once of an organization or folder, and how their parameters are filled in.</summary>
public sealed class WholeTests
{
    private static readonly RestCatalogue Catalogue = new(GcpSource.Catalogue);

    [Theory]
    [InlineData("orgpolicy:organizations.policies.list", "organization", "parent=organizations/123")]
    [InlineData("cloudresourcemanager:organizations.getIamPolicy", "organization", "resource=organizations/123")]
    [InlineData("cloudresourcemanager:organizations.get", "organization", "name=organizations/123")]
    [InlineData("iam:organizations.roles.list", "organization", "parent=organizations/123")]
    [InlineData("logging:organizations.sinks.list", "organization", "parent=organizations/123")]
    [InlineData(
        "logging:organizations.locations.buckets.list parent=organizations/{organization}/locations/-", "organization",
        "parent=organizations/123/locations/-")]
    [InlineData("cloudresourcemanager.v1:organizations.get", "organization", "organizationsId=123")]
    [InlineData("cloudasset:searchAllIamPolicies scope=organizations/{organization}", "organization", "scope=organizations/123")]
    [InlineData("cloudresourcemanager:folders.list parent=organizations/{organization}", "organization", "parent=organizations/123")]
    [InlineData("orgpolicy:folders.policies.list", "folder", "parent=folders/123")]
    [InlineData("cloudresourcemanager:folders.getIamPolicy", "folder", "resource=folders/123")]
    public void What_names_an_organization_or_folder_is_asked_once_of_it(string question, string kind, string sent)
    {
        var (operation, parameters) = Parsed(question);
        Assert.Equal(kind, GcpWhole.Of(operation, parameters));
        var filled = GcpWhole.Filled(operation, parameters, $"{kind}s/123");
        Assert.Contains(sent, filled.Select(p => $"{p.Key}={p.Value}"));
    }

    [Theory]
    [InlineData("iam:projects.serviceAccounts.list")]
    [InlineData("cloudasset:searchAllIamPolicies")]
    [InlineData("cloudasset:searchAllIamPolicies scope=projects/{project}")]
    [InlineData("orgpolicy:organizations.policies.list parent=organizations/9")]
    [InlineData("cloudresourcemanager:folders.list parent=folders/9")]
    [InlineData("logging:organizations.locations.buckets.list parent=organizations/9/locations/-")]
    public void What_names_a_project_or_a_number_is_asked_of_each_project(string question)
    {
        var (operation, parameters) = Parsed(question);
        Assert.Null(GcpWhole.Of(operation, parameters));
    }

    [Fact]
    public void A_target_of_single_projects_has_nothing_that_is_asked_once_of_an_organization()
    {
        var source = GcpSource.Create();
        var operation = source.FindOperation("orgpolicy:organizations.policies.list")!;
        var none = ImmutableSortedDictionary<string, JsonElement>.Empty;
        Assert.False(source.Has(Target("projects", "p-one"), operation, none));
        Assert.False(source.Has(Target("folder", "11"), operation, none));
        Assert.True(source.Has(Target("organization", "123"), operation, none));
        Assert.True(source.Has(Target("projects", "p-one"), source.FindOperation("iam:projects.serviceAccounts.list")!, none));
    }

    private static Target Target(string setting, string value) =>
        new("cloud", "gcp", ImmutableSortedDictionary<string, ImmutableArray<string>>.Empty.Add(setting, [value]));

    private static (RestOperation Operation, ImmutableSortedDictionary<string, JsonElement> Parameters) Parsed(string question)
    {
        var words = question.Split(' ');
        return (Catalogue.Find(words[0])!.Value.Operation, words[1..].Select(w => w.Split('=', 2)).ToImmutableSortedDictionary(
            w => w[0], w => JsonSerializer.SerializeToElement(w[1]), StringComparer.Ordinal));
    }
}

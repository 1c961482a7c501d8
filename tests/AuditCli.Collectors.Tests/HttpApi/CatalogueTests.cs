using System.Text.Json.Nodes;
using AuditCli.Collectors.HttpApi;
using AuditCli.Collectors.Rest;
using AuditCli.Evidence;
using AuditCli.Tests;

namespace AuditCli.Collectors.Tests.HttpApi;

/// <summary>
/// Compares the catalogue of each product with what its vendor publishes. The shapes are made from the vendors' own packages by
/// <c>tests/Shared/products/derive.py</c>.
/// </summary>
public sealed class CatalogueTests
{
    /// <summary>Times that are not RFC 3339 stay texts, since a column of the type timestamp would not take them.</summary>
    private static readonly string[] TimesAreTexts = ["jira", "servicenow"];

    public static TheoryData<string> Products => ProductTests.Products;

    [Theory]
    [MemberData(nameof(Products))]
    public void Paths_parameters_and_columns_are_those_that_the_vendor_publishes(string product)
    {
        var shapes = ProductServer.Shapes(product)["operations"]!.AsObject();
        Assert.All(Operations(product), operation =>
        {
            var shape = shapes[operation.Name] as JsonObject ?? throw new InvalidDataException($"{operation.Name} is not published");
            var api = Session.Catalogue.Api(product)!;
            Assert.Equal(
                $"{shape["method"]} {Plain(shape["path"]!.GetValue<string>())}", $"{operation.Method} {Plain("/" + api.BasePath + operation.Path)}");
            Assert.Equal(operation.Rows, shape["rows"]?.GetValue<string>());
            var published = shape["parameters"]!.AsObject();
            Assert.All(operation.Parameters.Where(p => p.Place == ParameterPlace.Query), p =>
                Assert.True(published[p.Name] is { } known && Takes(p.Type, known["type"]!.GetValue<string>()), $"{p.Name} {p.Type}: {published[p.Name]}"));
            Assert.All(
                published.Where(p => p.Value!["required"]!.GetValue<bool>() && p.Value["in"]!.GetValue<string>() == "query"),
                p => Assert.True(operation.Parameter(p.Key) is { Required: true } or { Fill: not null }, $"{p.Key} is required"));
            var row = shape["row"]!.AsObject();
            Assert.All(operation.Columns.Where(c => c.Name != RestOperation.OtherColumn), c =>
                Assert.True(row[c.Name] is { } kind && Fits(product, c.Type, kind.GetValue<string>()), $"{c.Name} {c.Type}: {row[c.Name]}"));
        });
    }

    [Theory]
    [MemberData(nameof(Products))]
    public void Each_operation_says_what_it_needs_and_where_rows_that_nobody_foresaw_go(string product) => Assert.All(Operations(product), operation =>
    {
        Assert.Equal("GET", operation.Method);
        Assert.NotNull(operation.Permission);
        Assert.Contains(operation.Columns, c => c == new Column(RestOperation.OtherColumn, ColumnType.Json));
        Assert.All(operation.None, code => Assert.DoesNotMatch("(?i)permission|denied|forbidden|401|403", code));
    });

    [Theory]
    [InlineData("okta:users.liste", "okta:users.list")]
    [InlineData("users.list", "okta:users.list")]
    [InlineData("servicenow:sys_properties.list", "servicenow:sys_properties.list is refused because it returns passwords of integrations")]
    public void A_name_that_is_not_in_the_catalogue_is_answered_with_a_near_one_or_a_reason(string name, string suggestion)
    {
        var source = HttpApiSource.Create();
        Assert.Null(source.FindOperation(name));
        Assert.Contains(suggestion, source.Suggest(name));
    }

    private static IEnumerable<RestOperation> Operations(string product)
    {
        var api = Session.Catalogue.Api(product)!;
        return api.OperationNames.Select(n => api.Operation(n)!);
    }

    /// <summary>Returns a template without the names of its parameters, which clients choose.</summary>
    private static string Plain(string path) => string.Join('/', path.Split('/').Select(s => s.StartsWith('{') ? "{}" : s));

    private static bool Takes(ColumnType type, string published) => published switch
    {
        "integer" or "number" => type == ColumnType.Integer,
        "boolean" => type is ColumnType.Boolean or ColumnType.Text,
        "array" => type is ColumnType.Json or ColumnType.Text,
        _ => type is ColumnType.Text or ColumnType.Timestamp,
    };

    private static bool Fits(string product, ColumnType type, string published) => published switch
    {
        "date-time" => type == (TimesAreTexts.Contains(product) ? ColumnType.Text : ColumnType.Timestamp),
        "object" or "array" or "any" => type == ColumnType.Json || product == "servicenow" && type == ColumnType.Text,
        "integer" or "number" => type is ColumnType.Integer or ColumnType.Double || product == "servicenow" && type == ColumnType.Text,
        "boolean" => type == ColumnType.Boolean || product == "servicenow" && type == ColumnType.Text,
        _ => type == ColumnType.Text,
    };
}

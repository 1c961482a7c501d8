using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using AuditCli.Collectors.Rest;
using AuditCli.Evidence;

namespace AuditCli.Collectors.HttpApi;

/// <summary>Lists what the caller must be allowed to do, by product and in the product's own words.</summary>
internal static class HttpApiPermissions
{
    /// <summary>Returns the permissions of the operations, and of the one that says who asks.</summary>
    public static PermissionDocument Document(ImmutableArray<Operation> operations)
    {
        var catalogue = new RestCatalogue(HttpApiProducts.Catalogue);
        var text = new StringBuilder();
        var unmapped = ImmutableArray.CreateBuilder<UnmappedOperation>();
        foreach (var group in operations.Select(o => o.Name).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).GroupBy(n => n.Split(':')[0]))
        {
            var product = new HttpApiProduct(catalogue.Api(group.Key)!);
            text.Append(CultureInfo.InvariantCulture, $"{product.Title}: {product.Api.Text("permissions")}\n");
            var needed = group.Select(n => (Name: n, Operation: product.Api.Operation(n[(group.Key.Length + 1)..])!))
                .Concat(new[] { product.Identity?.Operation, product.Account?.Operation }.OfType<RestOperation>()
                    .Select(o => (Name: $"{product.Name}:{o.Name}", Operation: o)))
                .ToArray();
            var known = needed.Where(n => n.Operation.Permission is not null).GroupBy(n => n.Operation.Permission, n => n.Name);
            foreach (var permission in known.OrderBy(p => p.Key, StringComparer.Ordinal))
                text.Append(CultureInfo.InvariantCulture, $"  {permission.Key,-40} {string.Join(", ", permission.Distinct(StringComparer.Ordinal))}\n");
            unmapped.AddRange(needed.Where(n => n.Operation.Permission is null)
                .Select(n => new UnmappedOperation(n.Name, "the product's pages name no permission for it")));
        }
        return new("scopes and roles", text.ToString(), new([], [], unmapped.ToImmutable()), HoldsRemarks: false);
    }
}

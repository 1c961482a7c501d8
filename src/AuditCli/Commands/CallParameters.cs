using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Evidence;

namespace AuditCli.Commands;

/// <summary>Parses <c>name=value</c> arguments as the parameters of an operation.</summary>
internal static class CallParameters
{
    /// <summary>Returns the parameters, and a message for each fault.</summary>
    public static (ImmutableSortedDictionary<string, JsonElement> Parameters, ImmutableArray<string> Faults) Read(
        Operation operation, IEnumerable<string> given)
    {
        var parameters = ImmutableSortedDictionary.CreateBuilder<string, JsonElement>(StringComparer.Ordinal);
        var faults = ImmutableArray.CreateBuilder<string>();
        foreach (var text in given)
        {
            var (name, value) = text.Split('=', 2) is [var n, var v] ? (n, v) : (text, null);
            if (value is null)
                faults.Add($"'{text}' is not name=value");
            else if (operation.Parameters.FirstOrDefault(p => p.Name == name) is not { } known)
            {
                faults.Add(
                    $"{operation.Name} takes no parameter {name}; "
                    + $"it takes {string.Join(", ", operation.Parameters.Select(p => p.Name).DefaultIfEmpty("none"))}");
            }
            else if (parameters.ContainsKey(name))
                faults.Add($"{name} is given twice");
            else if (known.Type != ColumnType.Text && TryParse(value, out var json))
                parameters[name] = json;
            else if (known.Type is ColumnType.Text or ColumnType.Timestamp)
                parameters[name] = JsonSerializer.SerializeToElement(value);
            else
                faults.Add($"{name} is not JSON, but {operation.Name} needs {known.Type.ToString().ToLowerInvariant()} there: {value}");
        }
        faults.AddRange(operation.Parameters.Where(p => p.Required && !parameters.ContainsKey(p.Name)).Select(p => $"{operation.Name} needs {p.Name}=..."));
        return (parameters.ToImmutable(), faults.ToImmutable());
    }

    private static bool TryParse(string value, out JsonElement json)
    {
        try
        {
            json = JsonElement.Parse(value);
            return true;
        }
        catch (JsonException)
        {
            json = default;
            return false;
        }
    }
}

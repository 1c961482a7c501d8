namespace AuditCli.Tests;

/// <summary>
/// A part of a file that is generated from code. <c>AUDITCLI_APPROVE=1</c> writes it; read the result before committing it.
/// </summary>
public static class GeneratedPart
{
    /// <summary>Compares the text of a file from one place up to another with what the code makes.</summary>
    public static void Matches(string file, int start, int end, string made)
    {
        var whole = File.ReadAllText(file);
        var expected = whole[..start] + made + whole[end..];
        if (Environment.GetEnvironmentVariable("AUDITCLI_APPROVE") == "1")
            File.WriteAllText(file, expected);
        Assert.True(expected == File.ReadAllText(file), $"a part of {file} is not what the code makes: AUDITCLI_APPROVE=1 dotnet test, then read it");
    }
}

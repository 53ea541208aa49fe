using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace PaymentPlatform.ServiceDefaults.Access;

/// <summary>Knows the keys. A look-up is one SHA-256 and no garbage; its time says nothing about the keys.</summary>
internal sealed class ApiKeyRing(IOptions<AccessOptions> options)
{
    public const int MaxKeyLength = 512;

    private static readonly Task<AuthenticateResult> Unknown = Fail("The key is not known.");

    private readonly (byte[] Hash, Task<AuthenticateResult> Result)[] _keys = [.. options.Value.Keys.Select(key => (key.Hash, Success(key)))];

    public bool IsEmpty => _keys.Length == 0;

    public static Task<AuthenticateResult> Fail(string message) => Task.FromResult(AuthenticateResult.Fail(new AccessException(message)));

    public Task<AuthenticateResult> Find(ReadOnlySpan<char> key)
    {
        if (key.Length is 0 or > MaxKeyLength)
            return Unknown;
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        var text = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(key.Length));
        try
        {
            SHA256.HashData(text.AsSpan(0, Encoding.UTF8.GetBytes(key, text)), hash);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(text, clearArray: true);
        }

        var result = Unknown;
        foreach (var candidate in _keys)
        {
            if (CryptographicOperations.FixedTimeEquals(candidate.Hash, hash))
                result = candidate.Result;
        }

        return result;
    }

    private static Task<AuthenticateResult> Success(ApiKey key) =>
        Task.FromResult(AuthenticateResult.Success(new(AccessPrincipal.Create($"key:{key.Name}", key.Roles, ApiKeyHandler.Scheme), ApiKeyHandler.Scheme)));
}

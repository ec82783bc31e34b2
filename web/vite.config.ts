import { defineConfig } from 'vite';

// The page is served from inside the binary: hashed names, no outside host, MapLibre in a chunk of its own
// that is fetched only after the first picture is on the screen.
export default defineConfig({
  base: './',
  build: {
    outDir: 'dist',
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1400,
    rollupOptions: {
      output: { manualChunks: (id) => (id.includes('node_modules/maplibre-gl') || id.includes('node_modules/@maplibre') ? 'maplibre' : undefined) },
    },
  },
  // During development everything that is not the page is asked of a running `sen serve`.
  server: {
    proxy: {
      '^/(catalog|api|style|health|ready|ndvi|evi|ndmi|mndwi|flood)(/|\\?|$)': process.env.SEN_SERVER ?? 'http://127.0.0.1:8080',
    },
  },
});

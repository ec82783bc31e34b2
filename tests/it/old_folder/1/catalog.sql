PRAGMA writable_schema=ON;
BEGIN;
CREATE TABLE revision (number INTEGER NOT NULL);
INSERT INTO "revision" VALUES(44);
CREATE TABLE item (
    collection TEXT NOT NULL, id TEXT NOT NULL,
    week TEXT NOT NULL,  -- ISO week of the local date, 2026-W34: sorts as text
    start_time TEXT NOT NULL, end_time TEXT NOT NULL,  -- RFC 3339, UTC
    west REAL NOT NULL, south REAL NOT NULL, east REAL NOT NULL, north REAL NOT NULL,  -- degrees
    body TEXT NOT NULL,  -- the whole item as JSON
    PRIMARY KEY (collection, id)) WITHOUT ROWID;
INSERT INTO "item" VALUES('fire_danger','fire_danger_2026-W34','2026-W34','2026-08-16T17:00:00.000Z','2026-08-23T17:00:00.000Z',1.05630476600982760261e+02,1.04568895924991487331e+01,1.05642195699998481467e+02,1.04684889486999512799e+01,'{"id":"fire_danger_2026-W34","collection":"fire_danger","interval":{"start":"2026-08-16T17:00:00Z","end":"2026-08-23T17:00:00Z"},"grid":{"crs":"EPSG:32648","west":569000.0,"north":1157280.0,"cell_width":20.0,"cell_height":20.0,"width":64,"height":64},"bbox":[105.63047660098276,10.456889592499149,105.64219569999848,10.468488948699951],"assets":{"day1":{"href":"fire_danger/2026/fire_danger_2026-W34/day1.tif","band_index":1,"scale":1.0,"offset":0.0,"nodata":255.0,"sha256":"620035a1d4a004a7b865f907dc0e98ffc9d8c5fd2918eeaf08f772584b9e0b8a","bytes":815},"day2":{"href":"fire_danger/2026/fire_danger_2026-W34/day2.tif","band_index":1,"scale":1.0,"offset":0.0,"nodata":255.0,"sha256":"2a9a3a4de231de7f9e607733088e7457d0533dcc2363cb61453253f7ebdaff0f","bytes":815},"day3":{"href":"fire_danger/2026/fire_danger_2026-W34/day3.tif","band_index":1,"scale":1.0,"offset":0.0,"nodata":255.0,"sha256":"99b3c56f769be27c4d4e4b7c8f2581ab6878d6f4e7ec4d574b38a58ae05010ca","bytes":815},"day4":{"href":"fire_danger/2026/fire_danger_2026-W34/day4.tif","band_index":1,"scale":1.0,"offset":0.0,"nodata":255.0,"sha256":"52242f14e635cf700e9be2441f6f90595b70d206084a92d2f8c6ad87ffc6ee88","bytes":815},"day5":{"href":"fire_danger/2026/fire_danger_2026-W34/day5.tif","band_index":1,"scale":1.0,"offset":0.0,"nodata":255.0,"sha256":"5d126fd62634b259dbf6a70a98edefdadeabaafcc4173f77a3fc56b984a8ab1d","bytes":815},"day6":{"href":"fire_danger/2026/fire_danger_2026-W34/day6.tif","band_index":1,"scale":1.0,"offset":0.0,"nodata":255.0,"sha256":"3de90f7808b157aa2630d96fb36e01818f92dda13724314da511cc3e2b504686","bytes":815},"day7":{"href":"fire_danger/2026/fire_danger_2026-W34/day7.tif","band_index":1,"scale":1.0,"offset":0.0,"nodata":255.0,"sha256":"e026f3347de99143a82af5e4af477e0bc4beb76f303ad43b5527d9b82e2930d8","bytes":815},"fire_danger":{"href":"fire_danger/2026/fire_danger_2026-W34/fire_danger.tif","band_index":1,"scale":1.0,"offset":0.0,"nodata":255.0,"sha256":"be7ab3d538599164e34cf79cd65fe60c09e568c897de8b66b32a0972e2066296","bytes":831},"statistics_dyke_compartments":{"href":"fire_danger/2026/fire_danger_2026-W34/statistics_dyke_compartments.arrow","band_index":1,"scale":1.0,"offset":0.0,"sha256":"a2aaa7947a100e981b39ed619371a5454babad85f29f615103ee13c70c171264","bytes":2810},"statistics_forest_blocks":{"href":"fire_danger/2026/fire_danger_2026-W34/statistics_forest_blocks.arrow","band_index":1,"scale":1.0,"offset":0.0,"sha256":"2275d94e8fc3d699c93af89b6e2896e316c447d29b379ac8bec15b89dbd9c0ef","bytes":2754},"statistics_plots":{"href":"fire_danger/2026/fire_danger_2026-W34/statistics_plots.arrow","band_index":1,"scale":1.0,"offset":0.0,"sha256":"a4f6fa1e6e0e963a5f9c00f4993934aded41f44cfb3deda2806c53f2469d9009","bytes":2738}},"lineage":["stations","forest_blocks"],"properties":{"sen:citation":{"en":"Table of Thua Thien Hue province (Decision 33/2022/QD-UBND), a default until the province''s own table is set; five levels by article 46 of Decree 156/2018/ND-CP","in_force_here":false,"vi":"Bảng cấp của tỉnh Thừa Thiên Huế (Quyết định 33/2022/QĐ-UBND), dùng tạm khi chưa có bảng của tỉnh; năm cấp theo Điều 46 Nghị định 156/2018/NĐ-CP"},"sen:code_version":"0.1.0","sen:days_not_known":[],"sen:inputs":"79ffb5cc2432f4532cb83a41d0e5b6b6aeda3ce16492d1719cea461738f5aab1","sen:levels":[5000.0,10000.0,15000.0,20000.0],"sen:product_version":2,"sen:rule":"index P (sum of temperature times saturation deficit at 13:00 since the last 5 mm of rain in 24 h) of the nearest station, in levels above [5000.0, 10000.0, 15000.0, 20000.0]; the worst day of the week, assets day1 (Monday) to day7 the days; 253: readings are missing and it did not rain since","sen:seen_share":1.0,"title":"Forest fire danger, worst day of the week"}}');
INSERT INTO "item" VALUES('flood','flood_2026-W34','2026-W34','2026-08-16T17:00:00.000Z','2026-08-23T17:00:00.000Z',1.05630476600982760261e+02,1.04568895924991487331e+01,1.05642195699998481467e+02,1.04684889486999512799e+01,'{"id":"flood_2026-W34","collection":"flood","interval":{"start":"2026-08-16T17:00:00Z","end":"2026-08-23T17:00:00Z"},"grid":{"crs":"EPSG:32648","west":569000.0,"north":1157280.0,"cell_width":10.0,"cell_height":10.0,"width":128,"height":128},"bbox":[105.63047660098276,10.456889592499149,105.64219569999848,10.468488948699951],"assets":{"age_days":{"href":"flood/2026/flood_2026-W34/age_days.tif","band_index":1,"scale":1.0,"offset":0.0,"nodata":255.0,"unit":"d","sha256":"084a54ab6279301c612e8f7d16732634fcdf8e6167ca21b23e037a2bb414b656","bytes":992},"alone":{"href":"flood/2026/flood_2026-W34/alone.tif","band_index":1,"scale":1.0,"offset":0.0,"nodata":255.0,"unit":"1","sha256":"6b51bc6c2b11a4ae87d664007e8cd17ea4c7c56c3a3b0c32f7a3e21e276aa9ea","bytes":1054},"exclusion":{"href":"flood/2026/flood_2026-W34/exclusion.tif","band_index":1,"scale":1.0,"offset":0.0,"nodata":255.0,"unit":"1","sha256":"0c2216f14968a02eeea94f09a5d3dacc50a1c6fa1a0e81f8059d19813ecfbd5b","bytes":992},"flood":{"href":"flood/2026/flood_2026-W34/flood.tif","band_index":1,"scale":1.0,"offset":0.0,"nodata":255.0,"sha256":"fcfb72c1ea10d92baae1674cb307f1992561d9b57d029db9ec8a4412998cf8d4","bytes":785},"likelihood":{"href":"flood/2026/flood_2026-W34/likelihood.tif","band_index":1,"scale":1.0,"offset":0.0,"nodata":255.0,"unit":"%","sha256":"bd8e7293091ace2a57cc49343ab8109695fec6c92e11af3936bc6fcab6d7037f","bytes":710},"n_clear":{"href":"flood/2026/flood_2026-W34/n_clear.tif","band_index":1,"scale":1.0,"offset":0.0,"unit":"1","sha256":"e343c63f43f84ba3106508945d8109227d1cc6f88b4a89d48db01339e298145b","bytes":955},"quality":{"href":"flood/2026/flood_2026-W34/quality.tif","band_index":1,"scale":1.0,"offset":0.0,"unit":"1","sha256":"131d73abe3ac7a2fb5fc6c41f4ff9365308764380e99eda6791e7b6739e4f170","bytes":955},"statistics_dyke_compartments":{"href":"flood/2026/flood_2026-W34/statistics_dyke_compartments.arrow","band_index":1,"scale":1.0,"offset":0.0,"sha256":"9ed967ce291713ca55a2fead023baed24519db09159720f32632ae224e975547","bytes":2898},"statistics_forest_blocks":{"href":"flood/2026/flood_2026-W34/statistics_forest_blocks.arrow","band_index":1,"scale":1.0,"offset":0.0,"sha256":"096784b4098496f3eb47f83dade8b2feecfe00c1843f74a46acc8f5e75c7d9e0","bytes":2746},"statistics_plots":{"href":"flood/2026/flood_2026-W34/statistics_plots.arrow","band_index":1,"scale":1.0,"offset":0.0,"sha256":"49f2ca362796ea8ede3f4887ae45a460c437b342a918f2a76566eedfab987f10","bytes":2738}},"lineage":["sentinel-1-rtc/S1A_20260819","sentinel-2-l2a/S2A_20260818"],"properties":{"sen:causes":"786238124094b03e21986b8a9ef3093900e25e3f895a1d40b6c617e97629cf7f","sen:code_version":"0.1.0","sen:covered_share":1.0,"sen:inputs":"3adff124b94f3a21656945e547eb0e03f17313d35702a847a09c25be704776b5","sen:kinds_rule":"water of compartments by its cause: flood 5 for river flood, tidal flood and a broken dyke, 4 for paddy water, planned releases and less than three tenths of the compartment; outside compartments flood 5 while the nearest gauge is at BĐ2 or above (at BĐ1 even at low tide) and its kind is known, 4 once it has been below BĐ1 for a week; else as the satellites tell it (asset `alone`)","sen:product_version":4,"sen:reference":{"sentinel-1-rtc/S1A_20260819":["sentinel-1-rtc/S1A_20260714"]},"sen:rule":"radar look, on 7x7 Lee-filtered power: thresholds in VV and VH are the higher of Otsu''s and Kittler-Illingworth''s, each the median of the bimodal tiles whose threshold lies within the bounds of OPERA DSWx-S1; three algorithms: regions grown from dark seeds, VV not contradicting VH unless that is below -23 dB; cells below the threshold in VH (without it VV); fall by 3 dB or more against the newest earlier look of the same relative orbit where that was not dark; the majority of three, of two that disagree water; optical look: majority of OPERA DSWx-HLS open water with NDVI below 0.2, MNDWI and NDWI above Otsu thresholds of bimodal tiles, at least 0 (no such tile: 0.124 and 0; only green and SWIR: MNDWI alone), SCL 2,4,5,6,7, QA_PIXEL bits 0-4 unset; the majority of the looks wins, a tie goes to the later look; kinds: permanent 3: wet in 3/4 of at least 12 earlier seen weeks of the last 52; flood 5: usually dry before and wet for 5 weeks, or wetted together with 60 % of the land within 1.5 km since the look before, or flood before and still wet, or among flood; other short wetting 4 (paddy, seasonal); kind not known yet 1; 251 where only radar looked at strong scatterers, 253 where only clouds were seen, 255 where nothing looked","sen:seen_share":1.0,"title":"Water and flood"}}');
INSERT INTO "item" VALUES('flood_depth','flood_depth_2026-W34','2026-W34','2026-08-16T17:00:00.000Z','2026-08-23T17:00:00.000Z',1.05630476600982760261e+02,1.04568895924991487331e+01,1.05642195699998481467e+02,1.04684889486999512799e+01,'{"id":"flood_depth_2026-W34","collection":"flood_depth","interval":{"start":"2026-08-16T17:00:00Z","end":"2026-08-23T17:00:00Z"},"grid":{"crs":"EPSG:32648","west":569000.0,"north":1157280.0,"cell_width":10.0,"cell_height":10.0,"width":128,"height":128},"bbox":[105.63047660098276,10.456889592499149,105.64219569999848,10.468488948699951],"assets":{"flood_depth":{"href":"flood_depth/2026/flood_depth_2026-W34/flood_depth.tif","band_index":1,"scale":1.0,"offset":0.0,"nodata":255.0,"sha256":"027a9a59d770a8c2f2e69bde2da5eeb0a8fa13399cfd604fe9b43cd072d88ed5","bytes":1070},"statistics_dyke_compartments":{"href":"flood_depth/2026/flood_depth_2026-W34/statistics_dyke_compartments.arrow","band_index":1,"scale":1.0,"offset":0.0,"sha256":"a4c53f03e4bacdf66dd011b6d7981d7a3e1a1ba451c5c377cb15319865be3a30","bytes":2834},"statistics_forest_blocks":{"href":"flood_depth/2026/flood_depth_2026-W34/statistics_forest_blocks.arrow","band_index":1,"scale":1.0,"offset":0.0,"sha256":"7bbd0438da3dc183d693642266a2e228ea6aeadddb546297f16f68c4a29073d2","bytes":2754},"statistics_plots":{"href":"flood_depth/2026/flood_depth_2026-W34/statistics_plots.arrow","band_index":1,"scale":1.0,"offset":0.0,"sha256":"43c690ffa16e7bf34dddffe03a80f5da5a4a57ff74f05b4927aa2bdf022bd625","bytes":2810},"uncertainty":{"href":"flood_depth/2026/flood_depth_2026-W34/uncertainty.tif","band_index":1,"scale":0.01,"offset":0.0,"nodata":65535.0,"unit":"m","sha256":"5cd7ea6d7fa4ed57d9363462baafc5273c68ffeb46249825c910d3ec9c355c3e","bytes":1067}},"lineage":["flood/flood_2026-W34","water_level/water_level_2026-W34"],"properties":{"sen:code_version":"0.1.0","sen:dem_error_m":0.3,"sen:inputs":"a061893b52c0de3e7201453dffbe552994b91b01d3f4fa90d7a5323db22069ba","sen:product_version":1,"sen:rule":"level between the gauges (median of the week) less the given DEM, where the week''s flood map shows water on land; classes below 0.3, 0.6 and 1.0 m and above; 5: under water, depth not told (no level, no ground, or behind a dyke that keeps the river out)","title":"Depth of the flood"}}');
INSERT INTO "item" VALUES('ndvi','ndvi_2026-W34','2026-W34','2026-08-16T17:00:00.000Z','2026-08-23T17:00:00.000Z',1.05630476600982760261e+02,1.04568895924991487331e+01,1.05642195699998481467e+02,1.04684889486999512799e+01,'{"id":"ndvi_2026-W34","collection":"ndvi","interval":{"start":"2026-08-16T17:00:00Z","end":"2026-08-23T17:00:00Z"},"grid":{"crs":"EPSG:32648","west":569000.0,"north":1157280.0,"cell_width":10.0,"cell_height":10.0,"width":128,"height":128},"bbox":[105.63047660098276,10.456889592499149,105.64219569999848,10.468488948699951],"assets":{"age_days":{"href":"ndvi/2026/ndvi_2026-W34/age_days.tif","band_index":1,"scale":1.0,"offset":0.0,"nodata":255.0,"unit":"d","sha256":"9eb20483d16df1377c1cc21e7682e91badb8966385d587835edf6ab4ea12e7a1","bytes":992},"n_clear":{"href":"ndvi/2026/ndvi_2026-W34/n_clear.tif","band_index":1,"scale":1.0,"offset":0.0,"unit":"1","sha256":"2933c3eaa446870ca21a24904188592d25135b2a32bd39877a0ccbeade9ab227","bytes":955},"ndvi":{"href":"ndvi/2026/ndvi_2026-W34/ndvi.tif","band_index":1,"scale":0.0001,"offset":0.0,"nodata":-32768.0,"unit":"1","sha256":"29951d3e244d73833383d7827e60680833098dca78457923dffa9eed8870dfe1","bytes":865},"quality":{"href":"ndvi/2026/ndvi_2026-W34/quality.tif","band_index":1,"scale":1.0,"offset":0.0,"unit":"1","sha256":"c9229362eb35e34505d666afecb0864c8b316cf728a6ace6871098d9959b8a4a","bytes":955},"statistics_dyke_compartments":{"href":"ndvi/2026/ndvi_2026-W34/statistics_dyke_compartments.arrow","band_index":1,"scale":1.0,"offset":0.0,"sha256":"76d16dc7cf1c4fc04b054e5080189681b1209305732e73a1f6a57c8721ffc00b","bytes":2738},"statistics_forest_blocks":{"href":"ndvi/2026/ndvi_2026-W34/statistics_forest_blocks.arrow","band_index":1,"scale":1.0,"offset":0.0,"sha256":"849221679be1f5910600abce89bda254dd3412c2af92681fa8adcaaa490fc4bd","bytes":2674},"statistics_plots":{"href":"ndvi/2026/ndvi_2026-W34/statistics_plots.arrow","band_index":1,"scale":1.0,"offset":0.0,"sha256":"dbe6002adb6922586912c40965bbbaa0dd6ee4667b7ffc3b794b7f2d713328c6","bytes":2730}},"lineage":["sentinel-2-l2a/S2A_20260818"],"properties":{"sen:code_version":"0.1.0","sen:covered_share":1.0,"sen:inputs":"55365d387791d876f722cc6363571ff72cb998c815cd6e422459dc1673cbaddc","sen:product_version":2,"sen:rule":"(nir - red) / (nir + red), in [-1, 1]; clear cells only (SCL 4,5,6,7; QA_PIXEL bits 0-4 unset); of the week''s clear looks the latest whose haze (blue - 0.5 red) is at most 0.03 above the least; one without blue counts as no hazier; looks clear for water only where no other is; one look a cell for all indices; no gap filling","sen:seen_share":1.0,"title":"Vegetation index NDVI"}}');
INSERT INTO "item" VALUES('sentinel-1-rtc','S1A_20260620','2026-W25','2026-06-20T22:46:06.000Z','2026-06-20T22:46:06.000Z',1.05630476600982760261e+02,1.04568895924991487331e+01,1.05642195699998467264e+02,1.04684889486999530559e+01,'{"id":"S1A_20260620","collection":"sentinel-1-rtc","interval":{"start":"2026-06-20T22:46:06Z","end":"2026-06-20T22:46:06Z"},"grid":{"crs":"EPSG:32648","west":569000.0,"north":1157280.0,"cell_width":10.0,"cell_height":10.0,"width":128,"height":128},"bbox":[105.63047660098276,10.456889592499149,105.64219569999847,10.468488948699953],"assets":{"vh":{"href":"http://127.0.0.1:36875/S1A_20260620/vh.tif","band":"vh","band_index":1,"scale":1.0,"offset":0.0,"nodata":-32768.0,"bytes":0},"vv":{"href":"http://127.0.0.1:36875/S1A_20260620/vv.tif","band":"vv","band_index":1,"scale":1.0,"offset":0.0,"nodata":-32768.0,"bytes":0}},"lineage":[],"properties":{"platform":"sentinel-1a","sat:orbit_state":"descending","sat:relative_orbit":18,"sen:calibration":"gamma0 as stored","sen:source":"stac","sen:units":"linear"}}');
INSERT INTO "item" VALUES('sentinel-1-rtc','S1A_20260714','2026-W29','2026-07-14T22:46:06.000Z','2026-07-14T22:46:06.000Z',1.05630476600982760261e+02,1.04568895924991487331e+01,1.05642195699998467264e+02,1.04684889486999530559e+01,'{"id":"S1A_20260714","collection":"sentinel-1-rtc","interval":{"start":"2026-07-14T22:46:06Z","end":"2026-07-14T22:46:06Z"},"grid":{"crs":"EPSG:32648","west":569000.0,"north":1157280.0,"cell_width":10.0,"cell_height":10.0,"width":128,"height":128},"bbox":[105.63047660098276,10.456889592499149,105.64219569999847,10.468488948699953],"assets":{"vh":{"href":"http://127.0.0.1:36875/S1A_20260714/vh.tif","band":"vh","band_index":1,"scale":1.0,"offset":0.0,"nodata":-32768.0,"bytes":0},"vv":{"href":"http://127.0.0.1:36875/S1A_20260714/vv.tif","band":"vv","band_index":1,"scale":1.0,"offset":0.0,"nodata":-32768.0,"bytes":0}},"lineage":[],"properties":{"platform":"sentinel-1a","sat:orbit_state":"descending","sat:relative_orbit":18,"sen:calibration":"gamma0 as stored","sen:source":"stac","sen:units":"linear"}}');
INSERT INTO "item" VALUES('sentinel-1-rtc','S1A_20260819','2026-W34','2026-08-19T22:46:06.000Z','2026-08-19T22:46:06.000Z',1.05630476600982760261e+02,1.04568895924991487331e+01,1.05642195699998467264e+02,1.04684889486999530559e+01,'{"id":"S1A_20260819","collection":"sentinel-1-rtc","interval":{"start":"2026-08-19T22:46:06Z","end":"2026-08-19T22:46:06Z"},"grid":{"crs":"EPSG:32648","west":569000.0,"north":1157280.0,"cell_width":10.0,"cell_height":10.0,"width":128,"height":128},"bbox":[105.63047660098276,10.456889592499149,105.64219569999847,10.468488948699953],"assets":{"vh":{"href":"http://127.0.0.1:36875/S1A_20260819/vh.tif","band":"vh","band_index":1,"scale":1.0,"offset":0.0,"nodata":-32768.0,"bytes":0},"vv":{"href":"http://127.0.0.1:36875/S1A_20260819/vv.tif","band":"vv","band_index":1,"scale":1.0,"offset":0.0,"nodata":-32768.0,"bytes":0}},"lineage":[],"properties":{"platform":"sentinel-1a","sat:orbit_state":"descending","sat:relative_orbit":18,"sen:calibration":"gamma0 as stored","sen:source":"stac","sen:units":"linear"}}');
INSERT INTO "item" VALUES('sentinel-2-l2a','S2A_20260818','2026-W34','2026-08-18T03:21:31.000Z','2026-08-18T03:21:31.000Z',1.05630476600982760261e+02,1.04568895924991487331e+01,1.05642195699998467264e+02,1.04684889486999530559e+01,'{"id":"S2A_20260818","collection":"sentinel-2-l2a","interval":{"start":"2026-08-18T03:21:31Z","end":"2026-08-18T03:21:31Z"},"grid":{"crs":"EPSG:32648","west":569000.0,"north":1157280.0,"cell_width":10.0,"cell_height":10.0,"width":128,"height":128},"bbox":[105.63047660098276,10.456889592499149,105.64219569999847,10.468488948699953],"assets":{"blue":{"href":"http://127.0.0.1:36875/S2A_20260818/blue.tif","band":"blue","band_index":1,"scale":0.0001,"offset":0.0,"nodata":0.0,"bytes":0},"green":{"href":"http://127.0.0.1:36875/S2A_20260818/green.tif","band":"green","band_index":1,"scale":0.0001,"offset":0.0,"nodata":0.0,"bytes":0},"nir":{"href":"http://127.0.0.1:36875/S2A_20260818/nir.tif","band":"nir","band_index":1,"scale":0.0001,"offset":0.0,"nodata":0.0,"bytes":0},"red":{"href":"http://127.0.0.1:36875/S2A_20260818/red.tif","band":"red","band_index":1,"scale":0.0001,"offset":0.0,"nodata":0.0,"bytes":0},"scl":{"href":"http://127.0.0.1:36875/S2A_20260818/scl.tif","band":"scl","band_index":1,"scale":1.0,"offset":0.0,"nodata":0.0,"bytes":0},"swir16":{"href":"http://127.0.0.1:36875/S2A_20260818/swir16.tif","band":"swir16","band_index":1,"scale":0.0001,"offset":0.0,"nodata":0.0,"bytes":0}},"lineage":[],"properties":{"platform":"sentinel-2a","s2:processing_baseline":"05.11","sen:calibration":"boa_offset_applied = true: the mirror has put the offset into the pixels, none is left","sen:source":"stac"}}');
INSERT INTO "item" VALUES('water_level','water_level_2026-W34','2026-W34','2026-08-16T17:00:00.000Z','2026-08-23T17:00:00.000Z',1.05630476236011162428e+02,1.04567083495080215271e+01,1.05642378445512960635e+02,1.04684889486999512799e+01,'{"id":"water_level_2026-W34","collection":"water_level","interval":{"start":"2026-08-16T17:00:00Z","end":"2026-08-23T17:00:00Z"},"grid":{"crs":"EPSG:32648","west":569000.0,"north":1157280.0,"cell_width":100.0,"cell_height":100.0,"width":13,"height":13},"bbox":[105.63047623601116,10.456708349508022,105.64237844551296,10.468488948699951],"assets":{"idw":{"href":"water_level/2026/water_level_2026-W34/idw.tif","band_index":1,"scale":0.001,"offset":0.0,"nodata":-32768.0,"unit":"m","sha256":"0b3d248665124f8d2c67b61d497f113d0cd5601053c01fe8ca6c398f3f254d93","bytes":855},"statistics_dyke_compartments":{"href":"water_level/2026/water_level_2026-W34/statistics_dyke_compartments.arrow","band_index":1,"scale":1.0,"offset":0.0,"sha256":"5a1e49ad18cd1fac6d22719105c1d1ca8687f5b2d4a89f15d6c062c43f42499f","bytes":2818},"statistics_forest_blocks":{"href":"water_level/2026/water_level_2026-W34/statistics_forest_blocks.arrow","band_index":1,"scale":1.0,"offset":0.0,"sha256":"f67fba23023fe430a1c8ceb5702bb8a96412453f70ec7ec53030e9c74fe87072","bytes":2754},"statistics_plots":{"href":"water_level/2026/water_level_2026-W34/statistics_plots.arrow","band_index":1,"scale":1.0,"offset":0.0,"sha256":"edf522b39a9521e5b3c5c622996e21b6c8732780f8d9028d30e94157c88119f6","bytes":2810},"variance":{"href":"water_level/2026/water_level_2026-W34/variance.tif","band_index":1,"scale":1.0,"offset":0.0,"nodata":-9999.0,"unit":"1","sha256":"f866b0244e8072411431f792521f5f701ecb8f1bf947f96b184bca5016f0c6ce","bytes":1455},"water_level":{"href":"water_level/2026/water_level_2026-W34/water_level.tif","band_index":1,"scale":0.001,"offset":0.0,"nodata":-32768.0,"unit":"m","sha256":"468d08db606b1fabf9c1e73e41daa53983d40fbff46c9e6de997d8eb5e5e2590","bytes":855}},"lineage":["stations/TV-01","stations/TV-02","stations/TV-03"],"properties":{"sen:asset_descriptions":{"idw":"inverse distance weighting (power 2, the nearest 8 stations) of the same medians, in the unit itself, on the same grid and within the same reach; it has no variance"},"sen:code_version":"0.1.0","sen:inputs":"1030e4586c1cba3fc54bf62b147bfca01a26c62e5cfb2a7a5493d42d6c863f0e","sen:product_version":3,"sen:rule":"ordinary kriging of the stations'' medians of good observations; spherical, fewer than ten stations: variogram as configured; variance in the square of the unit; nothing beyond half the range","sen:seen_share":1.0,"sen:stations":{"TV-01":{"observations":3,"value":2.12},"TV-02":{"observations":3,"value":2.12},"TV-03":{"observations":3,"value":2.12}},"sen:variogram":{"fitted":false,"model":"spherical","nugget":0.02,"psill":0.6,"range_m":60000.0},"title":"Water level between gauges"}}');
CREATE INDEX item_week ON item (collection, week, start_time, id);
CREATE INDEX item_start ON item (start_time, collection, id);
CREATE TABLE feature (
    fid INTEGER PRIMARY KEY AUTOINCREMENT,
    layer TEXT NOT NULL, scheme TEXT NOT NULL, code TEXT NOT NULL,
    valid_from TEXT NOT NULL DEFAULT '', valid_to TEXT NOT NULL DEFAULT '',  -- ISO dates; empty: open
    name TEXT, parent TEXT,
    codes TEXT NOT NULL DEFAULT '[]',  -- further codes as JSON
    area_m2 REAL NOT NULL,
    properties TEXT NOT NULL DEFAULT '{}',
    search TEXT NOT NULL,
    shape TEXT NOT NULL,
    geometry BLOB NOT NULL,  -- WKB, WGS 84 lon/lat
    UNIQUE (layer, scheme, code, valid_from));
INSERT INTO "feature" VALUES(1,'dyke_compartments','local','OB-1','','','Ô bao 1',NULL,'[]',1.29688278233587741855e+05,'{"dyke_class":"open"}','ob1|obao1','polygon',X'010300000001000000050000001A6448047B685A403FDB0BB966EF244060719DE87A685A4085A710FCBBED2440B93847CDB0685A40CEC37320BBED2440CBFF16E9B0685A404F185DDD65EF24401A6448047B685A403FDB0BB966EF2440');
INSERT INTO "feature" VALUES(2,'dyke_compartments','local','OB-2','','','Ô bao 2',NULL,'[]',3.25120652352213859552e+05,'{"dyke_class":"closed"}','ob2|obao2','polygon',X'01030000000100000005000000B5C3E4E3C2685A407B42C8D8A0EF244086E9C8B7C2685A401C3BB42DFDEC2440DE74600C18695A40C24D1ACFFBEC244012A2D83818695A40AD26017A9FEF2440B5C3E4E3C2685A407B42C8D8A0EF2440');
INSERT INTO "feature" VALUES(3,'plots','local','DT-1','','','Ruộng ông Bảy','30001','[{"scheme":"export","market":"China","code":"VN-DTOR-0001"}]',1.96133162243962287903e+04,'{"puc":"VN-DTOR-0001"}','dt1|vndtor0001|ruongongbay','polygon',X'01030000000100000005000000BA7296CAD7685A4020B1E249BFEE2440B560BBBFD7685A4084B2C55519EE244073BD1BB5EC685A4047D3BBFF18EE24405061FCBFEC685A40E018D6F3BEEE2440BA7296CAD7685A4020B1E249BFEE2440');
INSERT INTO "feature" VALUES(4,'plots','local','DT-2','','','Ruộng bà Tư','30001','[]',1.96133039887845516202e+04,'{}','dt2|ruongbatu','polygon',X'010300000001000000050000005BB94AB8F2685A401994BFBB77EE244029A568ADF2685A40B3B6A5C7D1ED2440C429C6A207695A40F04F6471D1ED2440BACFADAD07695A408A727B6577EE24405BB94AB8F2685A401994BFBB77EE2440');
INSERT INTO "feature" VALUES(5,'forest_blocks','local','TK01-K01','','','Rừng tràm',NULL,'[]',2.50169815137505531315e+05,'{}','tk01k01|rungtram','polygon',X'01030000000100000005000000918F98B1C2685A40AB950E599EEC244040FCEC8AC2685A40E7E0FCA74DEA2440DB2B87640D695A404D09C1744CEA24405ABF798B0D695A40CDFEAF259DEC2440918F98B1C2685A40AB950E599EEC2440');
INSERT INTO "feature" VALUES(6,'canals','local','K-1','','',NULL,NULL,'[]',0.0,'{}','k1','line',X'010200000002000000A0CCFAA9BA685A404BABED9CBEEF2440F717C34EBA685A403CC15BDC47EA2440');
INSERT INTO "feature" VALUES(7,'stations','local','TV-01','','',NULL,NULL,'[]',0.0,'{}','tv01','point',X'01010000001F0939A669685A40FD57836010ED2440');
INSERT INTO "feature" VALUES(8,'stations','local','TV-02','','',NULL,NULL,'[]',0.0,'{}','tv02','point',X'0101000000CF9D8B9ABD685A40F25F3C32E9EE2440');
INSERT INTO "feature" VALUES(9,'stations','local','TV-03','','',NULL,NULL,'[]',0.0,'{}','tv03','point',X'01010000002586A642F0685A40FB70251334EB2440');
INSERT INTO "feature" VALUES(10,'stations','local','KM-04','','','Trạm KM-04',NULL,'[]',0.0,'{}','km04|tramkm04','point',X'0101000000425B16AE87685A404210588473EE2440');
INSERT INTO "feature" VALUES(11,'hotspots','firms','NOAA20-20260820T0612-10.46119-105.63738','','','NOAA-20 20/08/2026 13:12',NULL,'[]',1.67200109196007251741e+05,'{"brightness_k":330.1,"burning":"forest","by_day":true,"confidence":"nominal","day":"2026-08-20","fire":"NOAA20-20260820T0612-10.46119-105.63738","fire_confidence":"nominal","fire_count":1,"fire_first":"2026-08-20T06:12:00Z","fire_frp_mw":4.5,"fire_last":"2026-08-20T06:12:00Z","forest_m":0.0,"frp_mw":4.5,"instrument":"VIIRS","lat":10.46119,"lon":105.63738,"processing":"near_real_time","satellite":"NOAA-20","scan_km":0.44,"time":"2026-08-20T06:12:00Z","track_km":0.38,"week":"2026-W34"}','noaa2020260820t0612104611910563738|noaa20200820261312','polygon',X'01030000000100000005000000E52F1FE9A9685A40ECDDEDF23FEB24400960D8C1EB685A40ECDDEDF23FEB24400960D8C1EB685A40221A0F3E02ED2440E52F1FE9A9685A40221A0F3E02ED2440E52F1FE9A9685A40ECDDEDF23FEB2440');
CREATE INDEX feature_code ON feature (layer, code);
CREATE INDEX feature_parent ON feature (layer, parent);
INSERT INTO sqlite_schema(type,name,tbl_name,rootpage,sql) VALUES('table','feature_box','feature_box',0,'CREATE VIRTUAL TABLE feature_box USING rtree (fid, west, east, south, north)');
CREATE TABLE "feature_box_rowid"(rowid INTEGER PRIMARY KEY,nodeno);
INSERT INTO "feature_box_rowid" VALUES(1,1);
INSERT INTO "feature_box_rowid" VALUES(2,1);
INSERT INTO "feature_box_rowid" VALUES(3,1);
INSERT INTO "feature_box_rowid" VALUES(4,1);
INSERT INTO "feature_box_rowid" VALUES(5,1);
INSERT INTO "feature_box_rowid" VALUES(6,1);
INSERT INTO "feature_box_rowid" VALUES(7,1);
INSERT INTO "feature_box_rowid" VALUES(8,1);
INSERT INTO "feature_box_rowid" VALUES(9,1);
INSERT INTO "feature_box_rowid" VALUES(10,1);
INSERT INTO "feature_box_rowid" VALUES(11,1);
CREATE TABLE "feature_box_node"(nodeno INTEGER PRIMARY KEY,data);
INSERT INTO "feature_box_node" VALUES(1,X'0000000B000000000000000142D343D742D3458941276DD941277B36000000000000000242D3461442D348C2412767DE41277D07000000000000000342D346BC42D34766412770C7412775FC000000000000000442D3479542D3483F41276E8A412773BE000000000000000542D3461442D3486E41275262412764F3000000000000000642D345D242D345D74127523E41277DF5000000000000000742D3434D42D3434F4127688341276884000000000000000842D345EB42D345ED412777484127774A000000000000000942D3478242D347844127599F412759A1000000000000000A42D3443D42D3443F4127739C4127739D000000000000000B42D3454F42D34760412759FE41276812000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000');
CREATE TABLE "feature_box_parent"(nodeno INTEGER PRIMARY KEY,parentnode);
INSERT INTO sqlite_schema(type,name,tbl_name,rootpage,sql) VALUES('table','feature_text','feature_text',0,'CREATE VIRTUAL TABLE feature_text USING fts5 (search, content=''feature'', content_rowid=''fid'', tokenize=''trigram'')');
CREATE TABLE 'feature_text_data'(id INTEGER PRIMARY KEY, block BLOB);
INSERT INTO "feature_text_data" VALUES(1,X'0B8103');
INSERT INTO "feature_text_data" VALUES(10,X'000000000107070007010101020101030101040101050101060101070101');
INSERT INTO "feature_text_data" VALUES(137438953473,X'0000005D0430317C6F0102040103327C6F0202040103616F31010208030132020208010362317C0102030202327C0202030202616F01020701020701036F623101020203013202020203016101020601020601037C6F62010205010205040808080608070A080609');
INSERT INTO "feature_text_data" VALUES(274877906945,X'000000E3043030303003020C03013103020D0202317C03020E0103317C7203020F0301760302040103327C72040204010361747504020C010362617404020B030179030219010364743103020203013204020203016F030208010367626103021801020A02026F6E03021501036E64740302070202676203021701020903016F03021401036F6E67030413050102080202723003020A010372303003020B0202756F030211010206010374317C0302030202327C04020302026F720302090103756F6E0302120102070103766E6403020601037C72750302100102050202766E030205040806070806080808060806060B07080A060C07080A0807070B080B');
INSERT INTO "feature_text_data" VALUES(412316860417,X'00000068043030316B05020403017C0502070103316B3005020502027C72050208010367747205020D01036B30310504030501036E677405020C010372616D05020F0202756E05020A0103746B300502020202726105020E0103756E6705020B01037C727505020904080608070809080807080708');
INSERT INTO "feature_text_data" VALUES(549755813889,X'0000002604307476300702020102020102020103763031070203030132080203030133090203040E0806');
INSERT INTO "feature_text_data" VALUES(687194767361,X'0000004D043030347C0A02040103347C740A02050103616D6B0A020901036B6D300A04020B01036D30340A04030B02026B6D0A020A010372616D0A020801037472610A020701037C74720A0206040808080909070808');
INSERT INTO "feature_text_data" VALUES(824633720833,X'0000012F04303030380B022C020232300B0407250301360B040929020234360B0216020235360B021D020236310B0211020238320B040C23020274300B020F01033130340B02150301350B021C020231390B0219020232310B0213020233310B0233020239310B021A01033230300B022B0301320B08060423080301740B020E020231300B0214020236300B020A0301310B023101033331320B0234020237330B02200202387C0B022201033436310B021701033536330B021E01033630380B020B020231310B02180301320B02120301330B0232020233370B021F01033733380B022101033832300B040D2302027C6E0B022301033931300B021B01036132300B040525020261320B04042501036E6F610B04022501036F61610B04032501037430360B021001037C6E6F0B022404080807070707080708060707070708090607070608070708080807060607080907080908090908');
INSERT INTO "feature_text_data" VALUES(962072674305,X'0000012F04303030380B032C020232300B0507250301360B050929020234360B0316020235360B031D020236310B0311020238320B050C23020274300B030F01033130340B03150301350B031C020231390B0319020232310B0313020233310B0333020239310B031A01033230300B032B0301320B09060423080301740B030E020231300B0314020236300B030A0301310B033101033331320B0334020237330B03200202387C0B032201033436310B031701033536330B031E01033630380B030B020231310B03180301320B03120301330B0332020233370B031F01033733380B032101033832300B050D2302027C6E0B032301033931300B031B01036132300B050525020261320B05042501036E6F610B05022501036F61610B05032501037430360B031001037C6E6F0B032404080807070707080708060707070708090607070608070708080807060607080907080908090908');
CREATE TABLE 'feature_text_idx'(segid, term, pgno, PRIMARY KEY(segid, term)) WITHOUT ROWID;
INSERT INTO "feature_text_idx" VALUES(1,X'',2);
INSERT INTO "feature_text_idx" VALUES(2,X'',2);
INSERT INTO "feature_text_idx" VALUES(3,X'',2);
INSERT INTO "feature_text_idx" VALUES(4,X'',2);
INSERT INTO "feature_text_idx" VALUES(5,X'',2);
INSERT INTO "feature_text_idx" VALUES(6,X'',2);
INSERT INTO "feature_text_idx" VALUES(7,X'',2);
CREATE TABLE 'feature_text_docsize'(id INTEGER PRIMARY KEY, sz BLOB);
INSERT INTO "feature_text_docsize" VALUES(1,X'07');
INSERT INTO "feature_text_docsize" VALUES(2,X'07');
INSERT INTO "feature_text_docsize" VALUES(3,X'18');
INSERT INTO "feature_text_docsize" VALUES(4,X'0B');
INSERT INTO "feature_text_docsize" VALUES(5,X'0E');
INSERT INTO "feature_text_docsize" VALUES(6,X'00');
INSERT INTO "feature_text_docsize" VALUES(7,X'02');
INSERT INTO "feature_text_docsize" VALUES(8,X'02');
INSERT INTO "feature_text_docsize" VALUES(9,X'02');
INSERT INTO "feature_text_docsize" VALUES(10,X'0B');
INSERT INTO "feature_text_docsize" VALUES(11,X'33');
CREATE TABLE 'feature_text_config'(k PRIMARY KEY, v) WITHOUT ROWID;
INSERT INTO "feature_text_config" VALUES('version',4);
CREATE TABLE other_code (code TEXT NOT NULL, fid INTEGER NOT NULL, PRIMARY KEY (code, fid)) WITHOUT ROWID;
INSERT INTO "other_code" VALUES('VN-DTOR-0001',3);
CREATE TABLE layer (
    name TEXT PRIMARY KEY, revision INTEGER NOT NULL, shape TEXT NOT NULL, count INTEGER NOT NULL,
    west REAL NOT NULL, south REAL NOT NULL, east REAL NOT NULL, north REAL NOT NULL) WITHOUT ROWID;
INSERT INTO "layer" VALUES('canals',1,'line',1,1.05636367797851562502e+02,1.04575786590576171877e+01,1.0563640594482421875e+02,1.04682512283325195316e+01);
INSERT INTO "layer" VALUES('dyke_compartments',1,'polygon',2,1.05632499694824218746e+02,1.04628582000732421879e+01,1.05642105102539062499e+02,1.04680242538452148435e+01);
INSERT INTO "layer" VALUES('forest_blocks',1,'polygon',1,1.05636871337890624999e+02,1.04576129913330078129e+01,1.05641464233398437496e+02,1.04621458053588867187e+01);
INSERT INTO "layer" VALUES('hotspots',2,'polygon',1,1.0563536834716796875e+02,1.04594707489013671875e+01,105.639404296875,1.04629077911376953122e+01);
INSERT INTO "layer" VALUES('plots',1,'polygon',2,1.05638153076171875004e+02,1.04644870758056640625e+01,1.05641105651855468747e+02,1.04663047790527343752e+01);
INSERT INTO "layer" VALUES('stations',2,'point',4,1.0563144683837890625e+02,1.04593801498413085937e+01,1.05639678955078125004e+02,1.04666233062744140625e+01);
CREATE TABLE season (
    fid INTEGER NOT NULL, number INTEGER NOT NULL,  -- in order of time, from 0
    season TEXT NOT NULL,
    sowing TEXT, heading TEXT, harvest TEXT, lost TEXT,  -- ISO local dates
    sowing_days REAL, heading_days REAL, harvest_days REAL,  -- uncertainty
    PRIMARY KEY (fid, number)) WITHOUT ROWID;
INSERT INTO "season" VALUES(3,0,'2026-thu-dong','2026-06-13',NULL,NULL,NULL,15.1,NULL,NULL);
INSERT INTO "season" VALUES(4,0,'2026-thu-dong','2026-06-13',NULL,NULL,NULL,15.1,NULL,NULL);
CREATE TABLE calendar (layer TEXT PRIMARY KEY, digest TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO "calendar" VALUES('plots','1c7379c13f66facb9c3085771f616670346aefaa3d428e51f83ea9ce57e4f59b');
CREATE TABLE inundation (
    layer TEXT NOT NULL, period TEXT NOT NULL, fid INTEGER NOT NULL,
    class TEXT NOT NULL,
    body TEXT NOT NULL,  -- the whole of it as JSON
    PRIMARY KEY (layer, period, fid)) WITHOUT ROWID;
INSERT INTO "inundation" VALUES('dyke_compartments','2026-W34',1,'river_flood','{"period":"2026-W34","looked":"2026-08-20","seen":1.0,"flooded_share":1.0,"flooded_ha":12.96,"connected_ha":12.96,"outside_share":1.0,"first_wet":"2026-08-20","last_wet":"2026-08-20","days_under_water":1,"class":"river_flood","sure":true,"reason":"river_high","gauge":{"station":"TV-01","distance_m":439.0,"highest_m":2.18,"alarm":1,"tide":false,"low_water_alarm":1,"last_alarm":"2026-08-18"}}');
INSERT INTO "inundation" VALUES('dyke_compartments','2026-W34',2,'none','{"period":"2026-W34","looked":"2026-08-20","seen":1.0,"flooded_share":0.0,"flooded_ha":0.0,"connected_ha":0.0,"outside_share":null,"first_wet":null,"last_wet":null,"days_under_water":null,"class":"none","sure":true,"reason":"dry","gauge":{"station":"TV-01","distance_m":921.0,"highest_m":2.18,"alarm":1,"tide":false,"low_water_alarm":1,"last_alarm":"2026-08-18"}}');
CREATE INDEX inundation_fid ON inundation (fid, period);
CREATE TABLE inundation_measured (
    layer TEXT NOT NULL, period TEXT NOT NULL,
    digest TEXT NOT NULL,  -- of what it was measured from
    body TEXT NOT NULL,
    PRIMARY KEY (layer, period)) WITHOUT ROWID;
INSERT INTO "inundation_measured" VALUES('dyke_compartments','2026-W34','be9de5a63deab61053d837c12750897a4fa3220162093a3dfc03b2d88b0d0aff','[[1,{"period":"2026-W34","looked":"2026-08-20","seen":1.0,"share":1.0,"flooded_ha":12.96,"connected_ha":12.96,"outside_share":1.0}],[2,{"period":"2026-W34","looked":"2026-08-20","seen":1.0,"share":0.0,"flooded_ha":0.0,"connected_ha":0.0,"outside_share":null}]]');
CREATE TABLE calibration (
    property TEXT NOT NULL, collection TEXT NOT NULL, version INTEGER NOT NULL,
    body TEXT NOT NULL,  -- the whole of it as JSON
    PRIMARY KEY (property, collection, version)) WITHOUT ROWID;
INSERT INTO "calibration" VALUES('soil_moisture','ndvi',1,'{"property":"soil_moisture","collection":"ndvi","version":1,"inputs":"12380253703cedd6390ec627c320f6a52f94c721e37ca2467b81197206a97f4b","slope":-16.278691193228063,"intercept":42.661566010092784,"applied":false,"reason":"fewer than 20 pairs","figures":{"bias":-32.95026666666667,"bias_interval":[-59.668482028248846,-6.2320513050845],"huber":{"intercept":38.85956099859128,"slope":-14.42628175754771},"mae":32.95026666666667,"n":3,"ols":{"intercept":38.85956099859128,"slope":-14.42628175754771},"r2":0.9494490881632823,"rmse":34.172770206701124,"rmse_left_out":148.2618579562255,"slope_interval":[-225.22522522522524,-12.433687002652519],"theil_sen":{"intercept":42.661566010092784,"slope":-16.278691193228063},"ubrmse":9.058595376522527},"lineage":["datastreams/3","datastreams/5","datastreams/7","ndvi/ndvi_2026-W34"]}');
CREATE TABLE fire_day (
    fid INTEGER NOT NULL, day TEXT NOT NULL,  -- ISO local date
    body TEXT NOT NULL,  -- the whole of it as JSON
    PRIMARY KEY (fid, day)) WITHOUT ROWID;
INSERT INTO "fire_day" VALUES(5,'2026-08-17','{"day":"2026-08-17","p":0.0,"level":1,"level_at_least":null,"rain_day":"2026-08-17","unknown":null,"fwi":0.8033332406743088,"fwi_since":"2026-08-17","station":"TV-03","temperature_c":34.5,"humidity_percent":48.0,"rain_mm":8.0}');
INSERT INTO "fire_day" VALUES(5,'2026-08-18','{"day":"2026-08-18","p":981.0564588198463,"level":1,"level_at_least":null,"rain_day":"2026-08-17","unknown":null,"fwi":6.184114262469145,"fwi_since":"2026-08-17","station":"TV-03","temperature_c":34.5,"humidity_percent":48.0,"rain_mm":0.0}');
INSERT INTO "fire_day" VALUES(5,'2026-08-19','{"day":"2026-08-19","p":1962.1129176396926,"level":1,"level_at_least":null,"rain_day":"2026-08-17","unknown":null,"fwi":8.159554120165335,"fwi_since":"2026-08-17","station":"TV-03","temperature_c":34.5,"humidity_percent":48.0,"rain_mm":0.0}');
INSERT INTO "fire_day" VALUES(5,'2026-08-20','{"day":"2026-08-20","p":2943.169376459539,"level":1,"level_at_least":null,"rain_day":"2026-08-17","unknown":null,"fwi":9.30238080148309,"fwi_since":"2026-08-17","station":"TV-03","temperature_c":34.5,"humidity_percent":48.0,"rain_mm":0.0}');
INSERT INTO "fire_day" VALUES(5,'2026-08-21','{"day":"2026-08-21","p":3924.225835279385,"level":1,"level_at_least":null,"rain_day":"2026-08-17","unknown":null,"fwi":10.280208648057798,"fwi_since":"2026-08-17","station":"TV-03","temperature_c":34.5,"humidity_percent":48.0,"rain_mm":0.0}');
INSERT INTO "fire_day" VALUES(5,'2026-08-22','{"day":"2026-08-22","p":4905.282294099232,"level":1,"level_at_least":null,"rain_day":"2026-08-17","unknown":null,"fwi":11.181573497205497,"fwi_since":"2026-08-17","station":"TV-03","temperature_c":34.5,"humidity_percent":48.0,"rain_mm":0.0}');
INSERT INTO "fire_day" VALUES(5,'2026-08-23','{"day":"2026-08-23","p":5886.338752919079,"level":2,"level_at_least":null,"rain_day":"2026-08-17","unknown":null,"fwi":12.026349225034796,"fwi_since":"2026-08-17","station":"TV-03","temperature_c":34.5,"humidity_percent":48.0,"rain_mm":0.0}');
CREATE TABLE forest_change (fid INTEGER PRIMARY KEY, body TEXT NOT NULL);
INSERT INTO "forest_change" VALUES(5,'{"weeks":[{"from":"2026-06-15","nbr":null,"ndmi":null,"ndvi":null,"vh_db":0.0,"dnbr":null,"severity":null,"alert":null,"cover":null},{"from":"2026-07-13","nbr":null,"ndmi":null,"ndvi":null,"vh_db":0.0,"dnbr":null,"severity":null,"alert":null,"cover":null},{"from":"2026-08-17","nbr":null,"ndmi":null,"ndvi":0.8,"vh_db":0.0,"dnbr":null,"severity":null,"alert":null,"cover":null}],"judgements":[["nbr",{"state":"not_judged","since":null,"confirmed":null,"usual":null,"sums":[]}],["ndmi",{"state":"not_judged","since":null,"confirmed":null,"usual":null,"sums":[]}],["ndvi",{"state":"not_judged","since":null,"confirmed":null,"usual":null,"sums":[]}],["vh",{"state":"not_judged","since":null,"confirmed":null,"usual":null,"sums":[]}]],"state":"not_judged","since":null,"confirmed":null,"radar_agrees":false}');
CREATE TABLE fire_basis (
    name TEXT PRIMARY KEY, digest TEXT NOT NULL, said TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO "fire_basis" VALUES('danger','6a2a19f72ec345661dfbe0b5900d01987d18393bc58199ad817c6544d5fed7de','{"citation":{"en":"Table of Thua Thien Hue province (Decision 33/2022/QD-UBND), a default until the province''s own table is set; five levels by article 46 of Decree 156/2018/ND-CP","in_force_here":false,"vi":"Bảng cấp của tỉnh Thừa Thiên Huế (Quyết định 33/2022/QĐ-UBND), dùng tạm khi chưa có bảng của tỉnh; năm cấp theo Điều 46 Nghị định 156/2018/NĐ-CP"},"levels":[5000.0,10000.0,15000.0,20000.0],"reset_mm":5.0,"window_min":60}');
INSERT INTO "fire_basis" VALUES('forest_change','5429faaa44414b73bbd56693784b562b9c7d579ea6308131bd4d0d531abe948a','{"dnbr":"uncalibrated","settings":{"baseline_weeks":8,"before_weeks":8,"confirm_looks":2,"drift":0.5,"index_spread":0.03,"seen_share":0.5,"threshold":4.0,"vh_spread_db":0.5}}');
CREATE TABLE datastream (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    station TEXT NOT NULL, property TEXT NOT NULL, unit TEXT NOT NULL, name TEXT NOT NULL,
    properties TEXT NOT NULL DEFAULT '{}',
    UNIQUE (station, property));
INSERT INTO "datastream" VALUES(1,'KM-04','water_level','m','mực nước','{"datastream":{"description":"","observationType":"http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement","unitOfMeasurement":{"definition":"","name":"m","symbol":"m"}},"sensor":{"description":"","encodingType":"text/plain","metadata":"","name":"probe 7"}}');
INSERT INTO "datastream" VALUES(2,'TV-01','water_level','m','Mực nước – TV-01','{}');
INSERT INTO "datastream" VALUES(3,'TV-01','soil_moisture','%','Độ ẩm đất (thể tích) – TV-01','{}');
INSERT INTO "datastream" VALUES(4,'TV-02','water_level','m','Mực nước – TV-02','{}');
INSERT INTO "datastream" VALUES(5,'TV-02','soil_moisture','%','Độ ẩm đất (thể tích) – TV-02','{}');
INSERT INTO "datastream" VALUES(6,'TV-03','water_level','m','Mực nước – TV-03','{}');
INSERT INTO "datastream" VALUES(7,'TV-03','soil_moisture','%','Độ ẩm đất (thể tích) – TV-03','{}');
INSERT INTO "datastream" VALUES(8,'TV-03','temperature','Cel','Nhiệt độ – TV-03','{}');
INSERT INTO "datastream" VALUES(9,'TV-03','humidity','%','Độ ẩm không khí – TV-03','{}');
INSERT INTO "datastream" VALUES(10,'TV-03','rain','mm','Lượng mưa – TV-03','{}');
INSERT INTO "datastream" VALUES(11,'TV-03','wind_speed','m/s','Tốc độ gió ở độ cao 10 m – TV-03','{}');
CREATE TABLE observation (
    datastream INTEGER NOT NULL, time INTEGER NOT NULL,  -- milliseconds since 1970, UTC
    value REAL,  -- null: missing
    flag INTEGER NOT NULL, marks INTEGER NOT NULL,  -- QARTOD; which tests
    given INTEGER NOT NULL,  -- flag it came with
    arrived INTEGER NOT NULL,  -- seconds since 1970, UTC
    PRIMARY KEY (datastream, time)) WITHOUT ROWID;
INSERT INTO "observation" VALUES(1,1787029200000,2.1,1,0,2,1796097485);
INSERT INTO "observation" VALUES(2,1787007600000,2.06,1,0,2,1796097485);
INSERT INTO "observation" VALUES(2,1787029200000,2.12,1,0,2,1796097485);
INSERT INTO "observation" VALUES(2,1787050800000,2.18,1,0,2,1796097485);
INSERT INTO "observation" VALUES(3,1787007600000,45.0,1,0,2,1796097485);
INSERT INTO "observation" VALUES(3,1787029200000,45.0,1,0,2,1796097485);
INSERT INTO "observation" VALUES(3,1787050800000,45.0,1,0,2,1796097485);
INSERT INTO "observation" VALUES(4,1787007600000,2.06,1,0,2,1796097485);
INSERT INTO "observation" VALUES(4,1787029200000,2.12,1,0,2,1796097485);
INSERT INTO "observation" VALUES(4,1787050800000,2.18,1,0,2,1796097485);
INSERT INTO "observation" VALUES(5,1787007600000,30.0,1,0,2,1796097485);
INSERT INTO "observation" VALUES(5,1787029200000,30.0,1,0,2,1796097485);
INSERT INTO "observation" VALUES(5,1787050800000,30.0,1,0,2,1796097485);
INSERT INTO "observation" VALUES(6,1787007600000,2.06,1,0,2,1796097485);
INSERT INTO "observation" VALUES(6,1787029200000,2.12,1,0,2,1796097485);
INSERT INTO "observation" VALUES(6,1787050800000,2.18,1,0,2,1796097485);
INSERT INTO "observation" VALUES(7,1787007600000,25.0,1,0,2,1796097485);
INSERT INTO "observation" VALUES(7,1787029200000,25.0,1,0,2,1796097485);
INSERT INTO "observation" VALUES(7,1787050800000,25.0,1,0,2,1796097485);
INSERT INTO "observation" VALUES(8,1786946400000,34.5,1,0,2,1796097485);
INSERT INTO "observation" VALUES(8,1787032800000,34.5,1,0,2,1796097485);
INSERT INTO "observation" VALUES(8,1787119200000,34.5,1,0,2,1796097485);
INSERT INTO "observation" VALUES(8,1787205600000,34.5,1,0,2,1796097485);
INSERT INTO "observation" VALUES(8,1787292000000,34.5,1,0,2,1796097485);
INSERT INTO "observation" VALUES(8,1787378400000,34.5,1,0,2,1796097485);
INSERT INTO "observation" VALUES(8,1787464800000,34.5,1,0,2,1796097485);
INSERT INTO "observation" VALUES(9,1786946400000,48.0,1,0,2,1796097485);
INSERT INTO "observation" VALUES(9,1787032800000,48.0,1,0,2,1796097485);
INSERT INTO "observation" VALUES(9,1787119200000,48.0,1,0,2,1796097485);
INSERT INTO "observation" VALUES(9,1787205600000,48.0,1,0,2,1796097485);
INSERT INTO "observation" VALUES(9,1787292000000,48.0,1,0,2,1796097485);
INSERT INTO "observation" VALUES(9,1787378400000,48.0,1,0,2,1796097485);
INSERT INTO "observation" VALUES(9,1787464800000,48.0,1,0,2,1796097485);
INSERT INTO "observation" VALUES(10,1786946400000,8.0,1,0,2,1796097485);
INSERT INTO "observation" VALUES(10,1787032800000,0.0,1,0,2,1796097485);
INSERT INTO "observation" VALUES(10,1787119200000,0.0,1,0,2,1796097485);
INSERT INTO "observation" VALUES(10,1787205600000,0.0,1,0,2,1796097485);
INSERT INTO "observation" VALUES(10,1787292000000,0.0,1,0,2,1796097485);
INSERT INTO "observation" VALUES(10,1787378400000,0.0,1,0,2,1796097485);
INSERT INTO "observation" VALUES(10,1787464800000,0.0,1,0,2,1796097485);
INSERT INTO "observation" VALUES(11,1786946400000,2.5,1,0,2,1796097485);
INSERT INTO "observation" VALUES(11,1787032800000,2.5,1,0,2,1796097485);
INSERT INTO "observation" VALUES(11,1787119200000,2.5,1,0,2,1796097485);
INSERT INTO "observation" VALUES(11,1787205600000,2.5,1,0,2,1796097485);
INSERT INTO "observation" VALUES(11,1787292000000,2.5,1,0,2,1796097485);
INSERT INTO "observation" VALUES(11,1787378400000,2.5,1,0,2,1796097485);
INSERT INTO "observation" VALUES(11,1787464800000,2.5,1,0,2,1796097485);
CREATE TABLE observation_revision (number INTEGER NOT NULL);
INSERT INTO "observation_revision" VALUES(22);
CREATE TABLE observation_fields (
    datastream INTEGER NOT NULL, time INTEGER NOT NULL,  -- those of the observation
    fields TEXT NOT NULL,  -- JSON: resultTime, validTime, parameters
    PRIMARY KEY (datastream, time)) WITHOUT ROWID;
INSERT INTO "observation_fields" VALUES(1,1787029200000,'{"parameters":{"battery":3.6},"resultTime":"2026-08-18T05:00:05Z"}');
CREATE TABLE station_fields (
    fid INTEGER PRIMARY KEY,  -- the station
    fields TEXT NOT NULL);
INSERT INTO "station_fields" VALUES(10,'{"location":{"description":"","encodingType":"application/geo+json","name":"KM-04"},"thing":{"description":"ở bờ kênh"}}');
CREATE TABLE admin_unit (
    rank INTEGER NOT NULL,  -- 1 province, 2 district, 3 commune
    code TEXT NOT NULL,
    valid_from TEXT NOT NULL DEFAULT '', valid_to TEXT NOT NULL DEFAULT '',  -- ISO dates; empty: open
    name TEXT NOT NULL, parent TEXT,
    predecessors TEXT NOT NULL DEFAULT '[]',
    PRIMARY KEY (rank, code, valid_from)) WITHOUT ROWID;
INSERT INTO "admin_unit" VALUES(1,'82','2025-07-01','','Tỉnh Đồng Tháp',NULL,'[{"code":"87","basis":"given"}]');
INSERT INTO "admin_unit" VALUES(1,'87','','2025-07-01','Tỉnh Đồng Tháp',NULL,'[]');
INSERT INTO "admin_unit" VALUES(3,'30001','2025-07-01','','Xã Mỹ Quý','82','[]');
CREATE INDEX admin_unit_code ON admin_unit (code);
CREATE INDEX admin_unit_parent ON admin_unit (parent);
CREATE TABLE key (
    name TEXT PRIMARY KEY, sha256 BLOB NOT NULL UNIQUE,
    write TEXT NOT NULL,  -- collections as JSON
    made INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO "key" VALUES('gateway',X'96066AD241868582F29754209512E7E40B658E25672B3269E69E344714AD8630','["observations"]',1796097485);
CREATE TABLE setting (name TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO "setting" VALUES('grid','{"crs":"EPSG:32648","west":569000.0,"north":1157280.0,"cell_width":10.0,"cell_height":10.0,"width":128,"height":128}');
CREATE TABLE content_sum (
    name TEXT PRIMARY KEY,  -- a table
    rows INTEGER NOT NULL,
    sum INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO "content_sum" VALUES('admin_unit',3,8145994558);
INSERT INTO "content_sum" VALUES('calendar',1,177486435);
INSERT INTO "content_sum" VALUES('calibration',1,3628671775);
INSERT INTO "content_sum" VALUES('datastream',11,19307652368);
INSERT INTO "content_sum" VALUES('feature',11,24160101242);
INSERT INTO "content_sum" VALUES('feature_box_node',1,168354344);
INSERT INTO "content_sum" VALUES('feature_box_parent',0,0);
INSERT INTO "content_sum" VALUES('feature_box_rowid',11,24610196345);
INSERT INTO "content_sum" VALUES('feature_text_config',1,914609025);
INSERT INTO "content_sum" VALUES('feature_text_data',9,17423047512);
INSERT INTO "content_sum" VALUES('feature_text_docsize',11,27553489857);
INSERT INTO "content_sum" VALUES('feature_text_idx',7,13860979921);
INSERT INTO "content_sum" VALUES('fire_basis',2,3238845968);
INSERT INTO "content_sum" VALUES('fire_day',7,18885171873);
INSERT INTO "content_sum" VALUES('forest_change',1,3698791819);
INSERT INTO "content_sum" VALUES('inundation',2,6526641167);
INSERT INTO "content_sum" VALUES('inundation_measured',1,2271514838);
INSERT INTO "content_sum" VALUES('item',9,20649884427);
INSERT INTO "content_sum" VALUES('key',1,4048885105);
INSERT INTO "content_sum" VALUES('layer',6,10875253720);
INSERT INTO "content_sum" VALUES('observation',47,102869073940);
INSERT INTO "content_sum" VALUES('observation_fields',1,2533890962);
INSERT INTO "content_sum" VALUES('observation_revision',1,1269184577);
INSERT INTO "content_sum" VALUES('other_code',1,2555392270);
INSERT INTO "content_sum" VALUES('revision',1,1605072884);
INSERT INTO "content_sum" VALUES('season',2,4245862254);
INSERT INTO "content_sum" VALUES('setting',1,4209896403);
INSERT INTO "content_sum" VALUES('sqlite_schema',42,94939201652);
INSERT INTO "content_sum" VALUES('sqlite_sequence',2,8068353676);
INSERT INTO "content_sum" VALUES('station_fields',1,2925078355);
DELETE FROM sqlite_sequence;
INSERT INTO "sqlite_sequence" VALUES('feature',11);
INSERT INTO "sqlite_sequence" VALUES('datastream',11);
COMMIT;
PRAGMA user_version=1;
